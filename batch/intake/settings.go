package intake

import (
	"slices"
	"strings"
	"unicode/utf8"

	"rowbatch/batch"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// Input is how a file is read and understood.
type Input struct {
	Map             string    `json:"map,omitempty"` // the mapping file; "": headings are field names
	Match           []string  `json:"match,omitempty"`
	Ignore          []string  `json:"ignore,omitempty"`
	Blanks          []string  `json:"blanks,omitempty"` // words that mean blank
	Strict          bool      `json:"strict,omitempty"`
	AllowDuplicates bool      `json:"allow_duplicates,omitempty"`
	NoBase          bool      `json:"no_base,omitempty"`
	Base            string    `json:"base,omitempty"`
	Delimiter       Delimiter `json:"delimiter,omitzero"`
	Encoding        string    `json:"encoding,omitempty"`
	HeaderRow       int       `json:"header_row,omitempty"` // the line where the heading starts; 0: it is found
	IgnoreOthers    bool      `json:"ignore_others,omitempty"`
	Findings        bool      `json:"-"` // whole columns are looked at, too

	Sheet  string          `json:"sheet,omitempty"`  // of a workbook; "": the only one whose heading fits
	Hidden xlsxfile.Hidden `json:"hidden,omitempty"` // what becomes of its hidden rows and columns
}

// check reports settings that are for files of the other kind.
func (i Input) check(name string) error {
	switch isSheet := xlsxfile.Named(name); {
	case isSheet && (i.Delimiter != 0 || i.Encoding != ""):
		return batch.Usage("leave them out", "--delimiter and --encoding are for text, and %s is a workbook", name)
	case !isSheet && (i.Sheet != "" || i.Hidden != xlsxfile.Refuse):
		return batch.Usage("leave them out", "--sheet and --hidden are for workbooks (.xlsx), and %s is none", name)
	}
	return nil
}

// Selection is which of a file's rows a run is about.
type Selection struct {
	When  string `json:"when,omitempty"`
	Limit int    `json:"limit,omitempty"` // only the first rows; 0: all
	Shard Shard  `json:"shard,omitzero"`
	Split string `json:"split,omitempty"` // what tells the shards of this file from any others, once it is read
	Choice
}

// Choice is which rows of a plan are carried out.
type Choice struct {
	Only   string `json:"only,omitempty"`   // lines of the input, as in 12,40-60; "": all
	Except string `json:"except,omitempty"` // lines that are left out
	Review string `json:"review,omitempty"` // the plan's report in which a person has struck rows
	Struck bool   `json:"struck,omitempty"` // Except is what a person has struck out on a page
}

// Check reports what is wrong with the settings by themselves.
func (i Input) Check() error {
	if i.NoBase && i.Base != "" {
		return batch.Usage("", "--no-base and --base exclude each other")
	}
	if !slices.Contains([]xlsxfile.Hidden{xlsxfile.Refuse, xlsxfile.Take, xlsxfile.Skip}, i.Hidden) {
		return batch.Usage("--hidden take, or --hidden skip", "--hidden is take or skip, not %q", i.Hidden)
	}
	if i.Encoding != "" {
		if err := csvfile.CheckEncoding(i.Encoding); err != nil {
			return batch.Usage("", "%v", err)
		}
	}
	_, err := i.guards()
	return err
}

// guards are the fields of --match, by column.
func (i Input) guards() (map[string]string, error) {
	guards := map[string]string{}
	for _, m := range i.Match {
		at := strings.LastIndex(m, "=") // a heading may hold one, a field's name does not
		if at < 1 || at == len(m)-1 {
			return nil, batch.Usage("--match Company=companyName", "--match %q is not of the form COL=field", m)
		}
		if _, twice := guards[m[:at]]; twice {
			return nil, batch.Usage("a column of its own for each guard", "--match names the column %q twice", m[:at])
		}
		guards[m[:at]] = m[at+1:]
	}
	return guards, nil
}

// readOptions are the mapping package's, for an input whose heading is to fit some actions.
func (i Input) readOptions(a Actions, o mapping.CompileOptions) csvfile.Options {
	return csvfile.Options{Delimiter: rune(i.Delimiter), Encoding: i.Encoding, HeaderRow: i.HeaderRow,
		Unnamed: i.IgnoreOthers || a.KeysOnly || slices.Contains(i.Ignore, ""),
		Heading: func(first []csvfile.Row) (int, error) { return mapping.FindHeading(a.schemas(), first, a.options(o)) }}
}

// sheetOptions are readOptions for a workbook.
func (i Input) sheetOptions(a Actions, o mapping.CompileOptions) xlsxfile.Options {
	text := i.readOptions(a, o)
	return xlsxfile.Options{Sheet: i.Sheet, Hidden: i.Hidden, HeaderRow: text.HeaderRow, Unnamed: text.Unnamed, Heading: text.Heading}
}

// compileOptions are the mapping package's, for the input of a name.
func (i Input) compileOptions(name string, file *mapping.File) (mapping.CompileOptions, error) {
	guards, err := i.guards()
	return mapping.CompileOptions{Name: name, File: file, Match: guards, Ignore: i.Ignore, Others: i.IgnoreOthers, Blanks: i.Blanks,
		Export: i.Base != ""}, err
}

// Delimiter is the character between cells; 0: it is detected. As text it is the
// character, or tab.
type Delimiter rune

func (d Delimiter) MarshalText() ([]byte, error) {
	switch d {
	case 0:
		return nil, nil
	case '\t':
		return []byte("tab"), nil
	}
	return []byte(string(rune(d))), nil
}

func (d *Delimiter) UnmarshalText(text []byte) error {
	switch string(text) {
	case "":
		*d = 0
		return nil
	case "tab", `\t`:
		*d = '\t'
		return nil
	}
	r, size := utf8.DecodeRune(text)
	if size != len(text) || strings.ContainsRune("\"\r\n\uFFFD", r) {
		return batch.Usage(`--delimiter ";"`, "--delimiter %q is not one character", text)
	}
	*d = Delimiter(r)
	return nil
}
