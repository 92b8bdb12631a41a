package xlsxfile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Named reports whether a file's name is that of a workbook. What a file of that name is in
// truth, it is refused for.
func Named(name string) bool {
	return slices.Contains([]string{".xlsx", ".xlsm"}, strings.ToLower(filepath.Ext(name)))
}

const (
	mostParts  = 10_000
	mostSheets = 1_000
)

// workbook is an opened file with what all its sheets share.
type workbook struct {
	files     map[string]*zip.File // by name in lower case: to spreadsheets the case says nothing
	tabs      []tab
	from1904  bool
	uncounted bool // formulas have no results yet, whatever stands there: libraries write zeros
	shared    *shared
	formats   []*format // by style; nil: General
}

// tab is a sheet by its name.
type tab struct {
	name, part string
	hidden     bool
}

// relationship leads from one part to another.
type relationship struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// source remembers why the file itself could not be read, to tell it from a file that
// holds the wrong thing.
type source struct {
	io.ReaderAt
	err error
}

func (s *source) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 { // a directory that points out of the archive
		return 0, zip.ErrFormat
	}
	n, err := s.ReaderAt.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func openWorkbook(r *source, size int64) (*workbook, error) {
	if err := recognise(r, size); err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(r, size)
	switch {
	case errors.Is(err, zip.ErrFormat):
		return nil, refuse("the workbook is cut off or damaged", "copy or download it again")
	case err != nil:
		return nil, err
	case len(archive.File) > mostParts:
		return nil, refuse(fmt.Sprintf("the workbook has more than %d parts", mostParts), csvfile.SaveAs)
	}
	b := &workbook{files: map[string]*zip.File{}, shared: &shared{}}
	for _, f := range archive.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if b.files[name] == nil {
			b.files[name] = f
		}
	}
	if err := recogniseArchive(b.files); err != nil {
		return nil, err
	}
	return b, b.readParts()
}

// damaged is a part that cannot be read.
func damaged(what string, err error) error {
	if refusal, ok := errors.AsType[*csvfile.Refusal](err); ok {
		return refusal
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(what+" cannot be read: the file is cut off or damaged", "copy or download it again")
	}
	return refuse(fmt.Sprintf("%s cannot be read: %v", what, err), csvfile.SaveAs)
}

// decode reads a small part as a whole.
func (b *workbook) decode(name string, into any) error {
	f := b.files[name]
	if f == nil {
		return errors.New("it is missing")
	}
	p, err := openPart(f)
	if err != nil {
		return err
	}
	return errors.Join(p.decode(into), p.Close())
}

// related returns the relationships of a part, with targets as names of files.
func (b *workbook) related(part string) ([]relationship, error) {
	folder, base := path.Split(part)
	var list struct {
		All []relationship `xml:"Relationship"`
	}
	err := b.decode(folder+"_rels/"+base+".rels", &list)
	for i := range list.All {
		target := strings.ToLower(strings.ReplaceAll(list.All[i].Target, `\`, "/"))
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", folder, target)
		}
		list.All[i].Target = strings.TrimPrefix(path.Clean(target), "/")
	}
	return list.All, err
}

// find returns the target of the first relationship of a kind.
func find(all []relationship, kind string) string {
	i := slices.IndexFunc(all, func(r relationship) bool { return strings.HasSuffix(r.Type, "/"+kind) })
	if i < 0 {
		return ""
	}
	return all[i].Target
}

// readParts reads what leads to the sheets, and what they share.
func (b *workbook) readParts() error {
	top, err := b.related("")
	if err != nil {
		return refuse("this is a zip archive, and no workbook", "unpack it, if the workbook is inside")
	}
	main := find(top, "officeDocument")
	var book struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Calculation struct {
			OnLoad string `xml:"fullCalcOnLoad,attr"`
		} `xml:"calcPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			Other string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.decode(main, &book); err != nil {
		return damaged("the workbook", err)
	}
	b.from1904, b.uncounted = isOn(book.Properties.Date1904), isOn(book.Calculation.OnLoad)
	parts, err := b.related(main)
	if err != nil {
		return damaged("the list of sheets", err)
	}
	if len(book.Sheets) > mostSheets {
		text := fmt.Sprintf("the workbook has more than %d sheets", mostSheets)
		return refuse(text, "copy the sheet that is meant into a workbook of its own")
	}
	for _, s := range book.Sheets {
		i := slices.IndexFunc(parts, func(r relationship) bool { return r.ID == s.ID+s.Other })
		if i >= 0 && strings.HasSuffix(parts[i].Type, "/worksheet") {
			b.tabs = append(b.tabs, tab{s.Name, parts[i].Target, s.State == "hidden" || s.State == "veryHidden"})
		}
	}
	if len(b.tabs) == 0 {
		return refuse("the workbook has no sheet with cells", "is this the right file?")
	}
	if name := find(parts, "styles"); name != "" {
		if err := b.readStyles(name); err != nil {
			return damaged("the list of number formats", err)
		}
	}
	if f := b.files[find(parts, "sharedStrings")]; f != nil {
		p, err := openPart(f)
		if err == nil {
			b.shared, err = readShared(p)
			err = errors.Join(err, p.Close())
		}
		if err != nil {
			return damaged("the list of texts", err)
		}
	}
	return nil
}

// readStyles reads which number format each style has.
func (b *workbook) readStyles(name string) error {
	var styles struct {
		Formats []struct {
			ID   string `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format string `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := b.decode(name, &styles); err != nil {
		return err
	}
	codes := builtIn()
	for _, f := range styles.Formats {
		codes[f.ID] = f.Code
	}
	formats := map[string]*format{"": nil}
	for id, code := range codes {
		if !strings.EqualFold(code, "General") {
			formats[id] = parseFormat(code)
		}
	}
	for _, c := range styles.Cells {
		f, known := formats[c.Format]
		if _, general := codes[c.Format]; !known && !general {
			f = &format{odd: true} // of another language
		}
		b.formats = append(b.formats, f)
	}
	return nil
}

// builtIn are the formats that a workbook does not spell out, by number.
func builtIn() map[string]string {
	return map[string]string{"": "General", "0": "General", "1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00",
		"5": `"$"#,##0_);("$"#,##0)`, "6": `"$"#,##0_);[Red]("$"#,##0)`, "7": `"$"#,##0.00_);("$"#,##0.00)`,
		"8": `"$"#,##0.00_);[Red]("$"#,##0.00)`, "9": "0%", "10": "0.00%", "11": "0.00E+00", "12": "# ?/?", "13": "# ??/??",
		"14": "m/d/yyyy", "15": "d-mmm-yy", "16": "d-mmm", "17": "mmm-yy", "18": "h:mm AM/PM", "19": "h:mm:ss AM/PM",
		"20": "h:mm", "21": "h:mm:ss", "22": "m/d/yyyy h:mm", "37": "#,##0_);(#,##0)", "38": "#,##0_);[Red](#,##0)",
		"39": "#,##0.00_);(#,##0.00)", "40": "#,##0.00_);[Red](#,##0.00)",
		"41": `_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)`, "42": `_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)`,
		"43": `_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)`, "44": `_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)`,
		"45": "mm:ss", "46": "[h]:mm:ss", "47": "mm:ss.0", "48": "##0.0E+0", "49": "@"}
}

// show makes of a cell's value the text that a person sees, and tells its form.
// The bytes of the value are used again for the next row.
func (b *workbook) show(c *cell, kind string, style int, value []byte) error {
	if style < 0 || style >= len(b.formats) && len(b.formats) > 0 {
		return fmt.Errorf("there is no style %d", style)
	}
	var f *format
	if len(b.formats) > 0 {
		f = b.formats[style]
	}
	trimmed := string(bytes.TrimSpace(value))
	switch kind {
	case "s":
		text, ok := b.shared.text(trimmed)
		if !ok {
			return fmt.Errorf("there is no shared text %.20q", trimmed)
		}
		c.text, c.form = f.showText(text)
	case "str", "inlineStr":
		text := string(value)
		if kind == "str" {
			text = string(unescape(value, 0))
		}
		c.text, c.form = f.showText(text)
	case "b":
		c.form = Truth
		if c.text = "FALSE"; isOn(trimmed) {
			c.text = "TRUE"
		}
	case "e":
		c.text, c.form = trimmed, Failed
	case "", "n":
		if trimmed != "" {
			c.text, c.form = f.showNumber(trimmed, b.from1904)
		}
	case "d":
		c.text, c.form = isoMoment(trimmed)
	default:
		return fmt.Errorf("%.20q is no type of a cell", kind)
	}
	if c.formula && (b.uncounted || trimmed == "" && (kind != "str" || !c.valued)) {
		c.form = Uncounted
	}
	return nil
}
