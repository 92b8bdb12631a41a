package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// File is an input file, checked whole and copied into the run's folder.
type File struct {
	Name    string // as typed; - for standard input
	Path    string // absolute; empty for standard input
	Sum     string // SHA-256 of its bytes, in hex
	Mapping string // the text of the mapping file; empty: there is none
	MapPath string // absolute
	Mapper  *mapping.Mapper
	Checked *mapping.Checked
	Written string   // how it is written, for people: UTF-8, delimiter ; or sheet "Customers"
	Places  []string // of a sheet's cells, by column; nil: it is text

	Delimiter rune   // of text, and of the reports
	Heading   int    // the line of the heading where titles stand above it, else 0
	Unnamed   int    // columns left out that have no heading
	Unseen    string // rows and columns of a sheet left out because they are hidden; "": none
	Split     string // what tells the shards of this file from any others

	keys    *runs.KeyIndex   // of whom the rows are about
	secrets map[int][]string // by row: passwords, which stand in no file of ours
	shards  []uint16         // by row: the shard that sends it; nil where the file is not shared
	exports *exports         // what exported rows were; nil: they are not compared
}

// stdinCopy is the name of the file in the run's folder that keeps a standard input.
const stdinCopy = "stdin.csv"

// Source is where a file comes from and what is to be made of it.
type Source struct {
	Name      string // of the file; - for standard input
	Stdin     io.Reader
	Actions   Actions
	Input     Input
	Selection Selection
	Exports   []string // folders with the exports that rows come from
}

// Read reads a file once: it checks every row, and copies them into dir. It ends
// with the cause of stop when that comes first. Trouble with the file as a whole
// is a *csvfile.Refusal.
func Read(stop context.Context, s Source, dir *runs.Dir) (*File, error) {
	in := &File{Name: s.Name}
	mapFile, err := in.readMapping(stop, s.Input.Map)
	if err != nil {
		return nil, err
	}
	options, err := s.Input.compileOptions(s.Name, mapFile)
	if err != nil {
		return nil, err
	}
	if s.Name == "-" {
		if s.Stdin, err = s.refuseSecrets(stop, options); err != nil {
			return nil, err
		}
	}
	content, err := in.open(stop, s, dir)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	input, sum, err := in.rows(stop, content, s, options)
	if err != nil {
		return nil, err
	}
	options.Places, in.Unnamed = in.Places, input.Unnamed()
	if line, titles := input.HeadingLine(); titles {
		in.Heading = line
	}
	in.Mapper, err = s.Actions.compile(input.Heading(), options)
	if err == nil && s.Name == "-" && in.Mapper.HasSecrets() {
		err = secretsOnStdin()
	}
	if err != nil {
		return nil, err
	}
	if err := in.check(stop, input, s, dir); err != nil {
		return nil, err
	}
	if in.Sum, err = sum(); err != nil {
		return nil, err
	}
	if shard := s.Selection.Shard; shard.Some() {
		split := sha256.New() // of the file, and of how it is read
		parts := []string{in.Sum, in.Mapping, s.Actions.Name, string(in.Delimiter), s.Input.Encoding,
			strings.Join(slices.Concat(s.Input.Ignore, s.Input.Blanks), "\n"), strconv.Itoa(shard.Of)}
		if in.Heading > 0 {
			parts = append(parts, strconv.Itoa(in.Heading))
		}
		if in.Places != nil {
			parts = append(parts, in.Written, string(s.Input.Hidden))
		}
		for _, part := range parts {
			fmt.Fprintf(split, "%d:%s\n", len(part), part)
		}
		in.Split = hex.EncodeToString(split.Sum(nil)[:16])
		return in, in.mayShard(s)
	}
	return in, nil
}

// longestMapping is in bytes; one of a thousand columns takes about 50,000.
const longestMapping = 1 << 20

func (in *File) readMapping(stop context.Context, name string) (*mapping.File, error) {
	if name == "" {
		return nil, nil
	}
	opened, err := open(stop, name)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	text, err := unlessStopped(stop, func() ([]byte, error) { return io.ReadAll(io.LimitReader(opened, longestMapping+1)) })
	switch {
	case stop.Err() != nil:
		return nil, context.Cause(stop)
	case err != nil:
		return nil, Unreadable(name, err)
	case len(text) > longestMapping:
		return nil, &csvfile.Refusal{File: name, Text: fmt.Sprintf("a mapping file of more than %d MiB", longestMapping>>20),
			Try: "--map with the mapping file; the rows are the command's FILE"}
	}
	in.Mapping = string(text)
	if info, err := opened.Stat(); err == nil && info.Mode().IsRegular() { // else it cannot be read a second time
		if in.MapPath, err = filepath.Abs(name); err != nil {
			return nil, err
		}
	}
	return mapping.ParseFile(name, text)
}

// open opens the input; a standard input is kept in the run's folder first, since it comes only once.
func (in *File) open(stop context.Context, s Source, dir *runs.Dir) (io.ReadCloser, error) {
	if s.Name == "-" {
		return spool(stop, s.Stdin, dir)
	}
	opened, err := open(stop, s.Name)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(Unreadable(s.Name, err), opened.Close())
	case info.IsDir():
		return nil, errors.Join(batch.Usage("the path of a CSV file or a workbook", "%s is a folder", s.Name), opened.Close())
	case !info.Mode().IsRegular(): // it comes only once, and perhaps without an end, or never
		return &piped{opened, stop, longestInput}, nil
	}
	if in.Path, err = filepath.Abs(s.Name); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// rows begins to read an opened input, and notes how it is written. sum is for when the rows
// are read: it returns the SHA-256 of the bytes that they came from.
func (in *File) rows(stop context.Context, content io.Reader, s Source, o mapping.CompileOptions) (
	input mapping.Input, sum func() (string, error), err error) {
	if err := s.Input.check(s.Name); err != nil {
		return nil, nil, err
	}
	if !xlsxfile.Named(s.Name) {
		hash := sha256.New()
		text, err := csvfile.NewReader(io.TeeReader(stoppable{stop, content}, hash), s.Name, s.Input.readOptions(s.Actions, o))
		if err != nil {
			return nil, nil, err
		}
		in.Written, in.Delimiter = text.Dialect().String(), text.Dialect().Delimiter
		return text, func() (string, error) { return hex.EncodeToString(hash.Sum(nil)), nil }, nil
	}
	file, ok := content.(*os.File)
	if !ok {
		return nil, nil, batch.Usage("a copy of it in a file", "%s comes only once, and a workbook is read from several ends", s.Name)
	}
	size, before, err := hashed(stop, file)
	if err != nil {
		return nil, nil, err
	}
	sheet, err := xlsxfile.NewReader(stoppableAt{stop, file}, size, s.Name, s.Input.sheetOptions(s.Actions, o))
	if err != nil {
		return nil, nil, err
	}
	in.Written, in.Places, in.Delimiter = fmt.Sprintf("sheet %q", sheet.Sheet()), sheet.Places(), ','
	return sheet, func() (string, error) {
		if rows, columns := sheet.Skipped(); rows+columns > 0 {
			in.Unseen = batch.Plural(rows, "row") + ", " + batch.Plural(columns, "column")
		}
		_, after, err := hashed(stop, file)
		if err == nil && after != before {
			err = &csvfile.Refusal{File: s.Name, Text: "the workbook was changed while it was read",
				Try: "the command again, once it is saved"}
		}
		return before, errors.Join(err, sheet.Close())
	}, nil
}

func (in *File) check(stop context.Context, input mapping.Input, s Source, dir *runs.Dir) (err error) {
	o := in.checkOptions(s.Input, s.Selection)
	if in.Mapper.ComparesExports() && !s.Input.NoBase {
		in.exports = &exports{stop: stop, folders: s.Exports, file: s.Input.Base, dir: dir,
			opened: map[string]*base{}, accounts: map[string]string{}}
		o.Exports = in.exports
		defer func() { err = errors.Join(err, in.exports.close()) }()
	}
	rows, err := dir.Rows(runs.RowsName, input.Heading())
	if err != nil {
		return err
	}
	n := 0
	in.Checked, err = mapping.Check(input, in.Mapper, func(r csvfile.Row, was *mapping.Base, hidden, warnings []string) error {
		in.keep(n, hidden)
		if n++; n > mostRows {
			return &csvfile.Refusal{File: s.Name, Text: "more than " + batch.Thousands(mostRows) + " rows", Try: "files of fewer rows"}
		}
		copied := runs.Row{Line: r.Line, Cells: r.Cells, Ragged: r.Ragged, Forms: r.Forms, Warnings: warnings}
		if was != nil {
			text, err := json.Marshal(was)
			if err != nil {
				return err
			}
			copied.Base = string(text)
		}
		return rows.Append(copied)
	}, o)
	return errors.Join(err, rows.Close())
}

// keep holds on to the secrets of a row.
func (in *File) keep(n int, hidden []string) {
	if hidden != nil {
		in.secrets[n] = hidden
	}
}

// subject spells a customer as the file's index and its shards know him, such as
// fusebill/id=987001.
func subject(system, field, key string) string { return system + "/" + field + "=" + key }

// checkOptions note of each row whom it is about, and which shard sends it.
func (in *File) checkOptions(input Input, sel Selection) mapping.CheckOptions {
	in.secrets, in.keys = map[int][]string{}, runs.NewKeyIndex()
	delimiter := in.Delimiter
	if in.Places != nil {
		delimiter = 0 // a sheet's cells have no rows inside
	}
	n := 0
	o := mapping.CheckOptions{AllowDuplicates: input.AllowDuplicates, Delimiter: delimiter, Findings: input.Findings}
	o.About = func(who mapping.Subject) {
		if who.Field != "" {
			in.keys.Add(subject(who.System, who.Field, who.Key), n)
		}
		n++
		if sel.Shard.Some() {
			in.shards = append(in.shards, uint16(sel.Shard.home(who)))
		}
	}
	return o
}

// SameAccount refuses rows that were exported from somewhere else than account,
// the name of this run's.
func (in *File) SameAccount(account string) error {
	if in.exports == nil {
		return nil
	}
	now := AddressesOf(account)
	for export, then := range in.exports.accounts {
		if base := AddressesOf(then); !slices.Contains(strings.Split(now, ", "), base) {
			return &csvfile.Refusal{Text: fmt.Sprintf("rows were exported in %s from %s, and this run is about %s", export, base, now),
				Try: "use the settings of that account, or --no-base"}
		}
	}
	return nil
}

// mayShard refuses to share a file whose rows cannot be told apart by their keys:
// two processes might write to one customer at a time, or be blind for what
// the other does.
func (in *File) mayShard(s Source) error {
	fields := map[string]string{} // by system
	for _, spec := range s.Actions.Specs {
		for _, field := range in.Checked.KeyFields(spec.Schema.Action) {
			if other, seen := fields[spec.Schema.System]; seen && other != field {
				return &csvfile.Refusal{File: s.Name,
					Text: fmt.Sprintf("some rows name their customer by %s and some by %s, and one customer's might be in two shards",
						other, field),
					Try: "a file for each of them, or no --shard"}
			}
			fields[spec.Schema.System] = field
		}
		name := spec.Schema.Action
		if field := fields[action.SystemFusebill]; field != "" && field != "id" && slices.Contains(in.Mapper.Fields(name), "parentId") {
			return &csvfile.Refusal{File: s.Name,
				Text: "parentId is set by " + field + ": a customer that becomes its own parent through a row of another shard " +
					"would not be noticed",
				Try: "name the customers by id, or no --shard"}
		}
	}
	return nil
}

// Reopen understands the copied rows of a run as the run itself did.
func Reopen(dir *runs.Dir, h journal.Head, s Source) (*File, error) {
	in := &File{Name: h.File, Path: h.Path, Sum: h.Input, Mapping: h.Mapping, MapPath: h.MapPath, Split: s.Selection.Split,
		Places: h.Places}
	for _, c := range h.Delimiter {
		in.Delimiter = c
	}
	rows, err := dir.ReadRows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var file *mapping.File
	if h.Mapping != "" {
		if file, err = mapping.ParseFile(s.Input.Map, []byte(h.Mapping)); err != nil {
			return nil, err
		}
	}
	options, err := s.Input.compileOptions(h.File, file)
	if err != nil {
		return nil, err
	}
	options.Places = in.Places
	if in.Mapper, err = s.Actions.compile(rows.Heading(), options); err != nil {
		return nil, err
	}
	o := in.checkOptions(s.Input, s.Selection)
	if in.Mapper.HasSecrets() {
		s.Name, s.Input.Delimiter = h.File, Delimiter(in.Delimiter) // as it was detected then
		if in.Places != nil {
			s.Input.Delimiter = 0
		}
		return in, in.recheckInput(h, s, options, o)
	}
	in.Checked, err = mapping.Recheck(copied{rows}, in.Mapper, o)
	return in, err
}

// copied gives the copied rows of a run as an input would.
type copied struct{ *runs.RowsReader }

func (c copied) Next() (csvfile.Row, *mapping.Base, error) {
	row, err := c.RowsReader.Next()
	return csvfile.Row{Line: row.Line, Cells: row.Cells, Ragged: row.Ragged, Forms: row.Forms}, baseOf(row), err
}

// recheckInput reads the input itself again: only there do the passwords stand.
func (in *File) recheckInput(h journal.Head, s Source, compiled mapping.CompileOptions, o mapping.CheckOptions) error {
	sum, err := sumOf(h.Path)
	if err != nil {
		return err
	}
	if sum != h.Input {
		return batch.Unfit("put the file back, or run it anew",
			"the passwords stand in %s alone, and it is gone or has changed; nothing was sent", cmp.Or(h.Path, h.File))
	}
	f, err := os.Open(h.Path)
	if err != nil {
		return Unreadable(h.Path, err)
	}
	defer f.Close()
	rows, read, err := in.rows(context.Background(), f, s, compiled)
	if err != nil {
		return err
	}
	n := 0
	in.Checked, err = mapping.Check(rows, in.Mapper, func(_ csvfile.Row, _ *mapping.Base, hidden, _ []string) error {
		in.keep(n, hidden)
		n++
		return nil
	}, o)
	if err != nil {
		return err
	}
	_, err = read()
	return err
}

// Secrets finds what a plan does not hold: by row and field, in the input itself.
func (in *File) Secrets(dir *runs.Dir) (map[int]map[string]string, error) {
	if len(in.secrets) == 0 {
		return nil, nil
	}
	all := map[int]map[string]string{}
	for row, err := range dir.AllRows() {
		if err != nil {
			return nil, err
		}
		hidden := in.secrets[row.N]
		if hidden == nil || row.Ragged {
			continue
		}
		all[row.N] = map[string]string{}
		for _, c := range in.Mapper.Row(in.Mapper.Unmask(row.Cells, hidden)).Cells {
			if c.Field.Secret {
				all[row.N][c.Name] = c.Text
			}
		}
	}
	return all, nil
}

// SameFiles wants the input and the mapping file to be as they were when the run
// began. A file that is gone is no difference: the run has a copy of its own.
func SameFiles(h journal.Head) error {
	sum, err := sumOf(h.Path)
	if err != nil {
		return err
	}
	if sum != "" && sum != h.Input {
		return batch.Unfit("run the file anew, or put the old one back", "%s has changed since %s; nothing was sent", h.Path, h.ID)
	}
	if h.MapPath == "" {
		return nil
	}
	text, err := os.ReadFile(h.MapPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return Unreadable(h.MapPath, err)
	}
	if string(text) != h.Mapping {
		return batch.Unfit("run the file anew, or put the old mapping file back",
			"the mapping file %s has changed since %s; nothing was sent", h.MapPath, h.ID)
	}
	return nil
}

// longestHeading is how much of a standard input is looked at before it is kept.
const longestHeading = 64 << 10

// refuseSecrets looks at the first lines of a standard input, one of which is the
// heading, so that a column of passwords is refused before anything of it is on disk.
// Whatever else may be wrong with them is told when they are read.
func (s Source) refuseSecrets(stop context.Context, o mapping.CompileOptions) (io.Reader, error) {
	ahead := bufio.NewReaderSize(s.Stdin, longestHeading)
	lines := 1 + max(csvfile.MostTitles, s.Input.HeaderRow)
	start, err := unlessStopped(stop, func() ([]byte, error) { return firstLines(ahead, lines), nil })
	if err != nil {
		return nil, err
	}
	input, err := csvfile.NewReader(bytes.NewReader(start), "-", s.Input.readOptions(s.Actions, o))
	if err == nil {
		if m, err := s.Actions.compile(input.Heading(), o); err == nil && m.HasSecrets() {
			return nil, secretsOnStdin()
		}
	}
	return ahead, nil
}

// firstLines peeks at the first n lines, or as much of them as there is room for.
func firstLines(r *bufio.Reader, n int) []byte {
	for size := 1; ; size *= 2 {
		size = min(size, longestHeading)
		text, err := r.Peek(size)
		if err != nil || size == longestHeading || bytes.Count(text, []byte("\n")) >= n {
			return text
		}
	}
}

func secretsOnStdin() error {
	return &csvfile.Refusal{Text: "standard input has a password column, and would have to be kept in a file", Try: "pass the file itself"}
}

// baseOf is the base of a copied row. One that cannot be read must not pass for
// a row that was not exported: its cells would be written over anything.
func baseOf(row runs.Row) *mapping.Base {
	if row.Base == "" {
		return nil
	}
	b := &mapping.Base{}
	if err := json.Unmarshal([]byte(row.Base), b); err != nil {
		b.Problem = exportProblem("not_in_export", "what the row was when it was exported is damaged: "+err.Error())
	}
	return b
}
