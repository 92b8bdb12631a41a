package web

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/mapping"
	"rowbatch/reports/page"
)

// reading is how the file of a draft is read, and what else it could be.
type reading struct {
	Sheets     []sheetView // of a workbook, where there are several
	Book       bool
	HeaderRow  string // as it was said; "": it was found
	Hidden     []option
	AsksHidden bool // nobody has said yet what becomes of hidden rows and columns
	Encodings  []option
	Delimiters []option
	Unnamed    int // columns with cells and without a heading
	SkipsThem  bool
	Helps      bool // to read the file another way
	Facts      []page.Fact
}

type sheetView struct {
	Name, Headings string
	Fits, Chosen   bool
}

type option struct {
	Value, Title string
	Chosen       bool
}

// chosenOf marks one of some options, given as value and title in turn.
func chosenOf(value string, pairs ...string) (all []option) {
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, option{pair[0], pair[1], pair[0] == value})
	}
	return all
}

// readingOf tells how a draft's file is read; look is nil where it cannot be.
func readingOf(ctx context.Context, d *draft, look *intake.Look, wrong error) (v reading, err error) {
	sheets, err := sheetsOf(ctx, d)
	v.Book = sheets != nil
	if len(sheets) > 1 {
		v.Sheets = sheets
	}
	in := d.Input
	if in.HeaderRow > 0 {
		v.HeaderRow = strconv.Itoa(in.HeaderRow)
	}
	v.AsksHidden = wrong != nil && strings.Contains(wrong.Error(), "--hidden")
	v.Hidden = chosenOf(string(in.Hidden), "", "none are there", "skip", "leave them out", "take", "take them, too")
	pairs := []string{"", "found by itself"}
	for _, name := range []string{"utf-8", "windows-1252", "windows-1250", "windows-1254", "macintosh", "cp850", "iso-8859-2",
		"iso-8859-15", "utf-16le", "utf-16be", "shift_jis", "gbk"} {
		pairs = append(pairs, name, name)
	}
	v.Encodings = chosenOf(in.Encoding, pairs...)
	mark, _ := in.Delimiter.MarshalText() // it has no error
	v.Delimiters = chosenOf(string(mark), "", "found by itself", ",", "comma", ";", "semicolon", "tab", "tab", "|", "bar |")
	v.SkipsThem = slices.Contains(in.Ignore, "")
	if in.Sheet = ""; look == nil { // a file of another kind is read no better another way, unless it was read wrongly
		v.Helps = v.Sheets != nil || !reflect.ValueOf(in).IsZero() || wrong != nil && pointsHere(wrong.Error())
		return v, err
	}
	v.Helps, v.Unnamed = true, look.Unnamed
	v.Facts = append(v.Facts, page.Fact{Name: "Read as", Text: look.Written})
	heading := fmt.Sprintf("%s %d", mapping.Unit(d.File), look.Line)
	switch {
	case look.Line == 2:
		heading += "; the one above it is a title"
	case look.Line > 2:
		heading += "; what stands above it are titles"
	}
	v.Facts = append(v.Facts, page.Fact{Name: "Heading", Text: heading}, page.Fact{Name: "Columns", Text: fmt.Sprint(len(look.Columns))})
	if v.Unnamed > 0 {
		v.Facts = append(v.Facts, page.Fact{Name: "Without a heading", Text: batch.Plural(v.Unnamed, "column") + ", left out if blank"})
	}
	return v, err
}

// pointsHere reports whether an error advises a flag that the page has a control for.
func pointsHere(text string) bool {
	return slices.ContainsFunc([]string{"--hidden", "--sheet", "--encoding", "--delimiter", "--header-row", "--ignore-others"},
		func(flag string) bool { return strings.Contains(text, flag) })
}

// sheetsOf are those of a draft's workbook; nil: it is none.
func sheetsOf(ctx context.Context, d *draft) (all []sheetView, err error) {
	found, err := intake.Sheets(ctx, d.source())
	for _, f := range found {
		v := sheetView{Name: f.Name, Headings: batch.Visible(strings.Join(f.Heading, " · ")), Chosen: f.Name == d.Input.Sheet}
		for _, p := range mapping.Propose(schemasOf(d.Action), f.Heading, nil) {
			v.Fits = v.Fits || p.Key
		}
		all = append(all, v)
	}
	return all, err
}

// likely is the sheet of a draft's workbook that is proposed: the only one whose headings fit.
func likely(ctx context.Context, d *draft) (name string) {
	all, _ := sheetsOf(ctx, d) // what cannot be read, its page tells
	for _, v := range all {
		if v.Fits && name != "" {
			return "" // a person must choose
		}
		if v.Fits {
			name = v.Name
		}
	}
	return name
}

// readingPages take how a draft's file is to be read, and check it so.
type readingPages struct{ draftPages }

func (s readingPages) choose(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	in := &d.Input
	in.Sheet, in.HeaderRow, in.Encoding = r.PostFormValue("sheet"), number(r.PostFormValue("header_row")), r.PostFormValue("encoding")
	err := in.Delimiter.UnmarshalText([]byte(r.PostFormValue("delimiter")))
	if in.Ignore = nil; r.PostFormValue("unnamed") == "skip" {
		in.Ignore = []string{""}
	}
	in.Hidden = intake.Hidden(r.PostFormValue("hidden"))
	if err == nil {
		err = in.Check()
	}
	if err != nil {
		s.draftPage(w, d, http.StatusUnprocessableEntity, err)
		return
	}
	s.changed(w, r, d, s.prepare(d))
}

// problemsShown is how many rows of a check are shown one by one.
const problemsShown = 10

// check makes the offline checks of a draft's file, for its page.
func (s readingPages) check(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	front := newWatch(s.ctx, agreement{})
	found, err := job.Check(s.job(front, s.account(d.Account), func(set *job.Settings) { set.Input = d.Input }), front.control,
		intake.ActionsOf(d.Action), d.path(), nil)
	v := struct {
		*job.FileCheck
		Unit     string
		More     int
		Problem  *trouble
		Warnings []mapping.Warning
	}{FileCheck: found, Unit: mapping.Unit(d.File)}
	if err != nil {
		v.Problem = told(d.said(err))
	} else {
		v.More = found.Rejected - min(len(found.Problems), problemsShown)
		found.Problems = found.Problems[:min(len(found.Problems), problemsShown)]
		v.Warnings = found.Warnings[:min(len(found.Warnings), problemsShown)]
	}
	s.show(w, http.StatusOK, "checked", v)
}
