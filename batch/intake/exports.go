package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// exports finds what the rows of a file were when they were exported: in the run
// folders that their rb_export cells name, or in the file of --base.
type exports struct {
	stop     context.Context
	folders  []string // with exports
	file     string   // of --base; "": rows name their export
	dir      *runs.Dir
	opened   map[string]*base // by export
	accounts map[string]string
}

// base is one baseline, open to be searched.
type base struct {
	rows   *runs.Baseline
	column map[string]int // by field, as far as it was asked for; -1: there is none
	cells  []string       // of the row found last
}

// exportID is the form of an export's id; whatever else stands in rb_export is damage.
var exportID = regexp.MustCompile(`^\d{8}T\d{6}Z-export-[a-z0-9-]+$`)

// Was finds a row's customer in its export.
func (b *exports) Was(export, keyField, key string) (func(string) (string, bool), *mapping.Problem, error) {
	switch {
	case b.file != "":
	case export == "":
		return nil, nil, nil // a row that was added since
	case !exportID.MatchString(export):
		return nil, exportProblem("spreadsheet_damage", fmt.Sprintf("%q names no export; copy the cell from another row of the same export",
			export)), nil
	}
	from, err := b.open(export, keyField)
	if err != nil {
		return nil, nil, err
	}
	found, err := from.rows.Find(key)
	switch {
	case err != nil:
		return nil, nil, gone(export, err.Error())
	case len(found) == 0 && export == "":
		return nil, nil, nil
	case len(found) == 0:
		return nil, exportProblem("not_in_export", fmt.Sprintf("the customer %s=%s was not exported there", keyField, key)), nil
	case len(found) > 1:
		return nil, exportProblem("not_in_export",
			fmt.Sprintf("several customers with %s=%s were exported: which one the row was cannot be told", keyField, key)), nil
	}
	from.cells = found[0]
	return from.was, nil, nil
}

func exportProblem(code, text string) *mapping.Problem {
	return &mapping.Problem{Code: code, Column: "rb_export", Text: text}
}

func (b *base) was(field string) (string, bool) {
	at, known := b.column[field]
	if !known {
		at = slices.IndexFunc(b.rows.Columns(), func(name string) bool { return csvfile.Fold(name) == csvfile.Fold(field) })
		b.column[field] = at
	}
	if at < 0 {
		return "", false
	}
	return b.cells[at], true
}

// open opens the baseline of an export once.
func (b *exports) open(export, keyField string) (*base, error) {
	if b.file != "" {
		export = ""
	}
	if known := b.opened[export+"\n"+keyField]; known != nil {
		return known, nil
	}
	dir, err := b.find(export)
	if err != nil {
		return nil, err
	}
	rows, err := dir.OpenBaseline(keyField)
	if err != nil {
		return nil, gone(export, err.Error())
	}
	opened := &base{rows: rows, column: map[string]int{}}
	b.opened[export+"\n"+keyField] = opened
	if !slices.Contains(rows.Columns(), keyField) {
		return nil, &csvfile.Refusal{Text: fmt.Sprintf("rows are told by %s, and their export has no such column", keyField),
			Try: "keep the column id in the file, or --no-base"}
	}
	return opened, nil
}

// find returns the folder that keeps the rows of an export.
func (b *exports) find(export string) (*runs.Dir, error) {
	if b.file != "" {
		return b.dir, b.copyFile()
	}
	var dir *runs.Dir
	err := error(nil)
	for _, folder := range b.folders {
		if dir, err = runs.Open(runs.Disk(), folder, export); err == nil {
			break
		}
	}
	if dir == nil {
		return nil, gone(export, "there is no such run in "+strings.Join(b.folders, " or "))
	}
	j, err := dir.OpenJournal()
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "; ")
		return nil, gone(export, why)
	}
	if j.Head.Mode != journal.ModeExport {
		err = gone(export, "it is no export")
	}
	b.accounts[export] = j.Head.Account
	return dir, errors.Join(err, j.Close())
}

func gone(export, why string) error {
	const last = "--no-base, which writes every cell that differs from the live record, whoever changed that since"
	if export == "" {
		return &csvfile.Refusal{Text: why, Try: "--base with an untouched copy of the exported file, or " + last}
	}
	return &csvfile.Refusal{Text: fmt.Sprintf("the rows as exported in %s cannot be read: %s", export, why),
		Try: "--reports with the folder where " + export + " lies, --base with an untouched copy of the exported file, or " + last}
}

// copyFile turns the file of --base into a baseline in the run's own folder,
// until the rows have been compared.
func (b *exports) copyFile() error {
	in, f, err := openRows(b.stop, b.file, csvfile.Options{}, xlsxfile.Options{Hidden: xlsxfile.Take})
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := b.dir.Rows(runs.ExportedName, in.Heading())
	if err != nil {
		return err
	}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err == nil && row.Ragged {
			err = &csvfile.Refusal{File: b.file, Line: row.Line, Text: "the row has more or fewer cells than the heading",
				Try: "--base with the exported file as it was"}
		}
		if err == nil {
			for i, cell := range row.Cells {
				row.Cells[i] = mapping.Exported(cell)
			}
			err = w.Append(runs.Row{Cells: row.Cells})
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
}

func (b *exports) close() error {
	var all []error
	for _, o := range b.opened {
		all = append(all, o.rows.Close())
	}
	b.opened = nil
	if b.file != "" {
		all = append(all, b.dir.RemoveFile(runs.ExportedName))
	}
	return errors.Join(all...)
}

// AccountsOf are the accounts that a run is bound to, each by its address in one
// spelling and by its key. Runs of earlier versions have the address as it was typed.
func AccountsOf(account string) (names []string) {
	for name := range strings.SplitSeq(account, ", ") {
		base, key, _ := strings.Cut(name, "#")
		names = append(names, strings.TrimSuffix(client.OneSpelling(base)+"#"+key, "#"))
	}
	return names
}

// AddressesOf names the accounts of a run by their addresses alone.
func AddressesOf(account string) string {
	bases := AccountsOf(account)
	for i, name := range bases {
		bases[i], _, _ = strings.Cut(name, "#")
	}
	return strings.Join(bases, ", ")
}
