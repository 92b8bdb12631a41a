package reports

import (
	"cmp"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/reports/page"
)

// pageWriter writes report.html, once all rows are counted.
type pageWriter struct{ *writer }

// document is what the page says of a run.
func (w pageWriter) document(s Summary) (d page.Document, err error) {
	h := w.journal.Head
	h.ID = s.RunID
	stopped := s.Outcomes[batch.NotAttempted]+s.Outcomes[batch.InDoubt] > 0
	zone, offset := s.Started.Local().Zone()
	d = page.Document{Heading: batch.Visible(page.Heading(h)), Lead: page.Lead(h, s.Outcomes, stopped), Counts: s.Outcomes, Dry: s.DryRun,
		Account: page.Band{Kind: "production", Word: batch.Visible(cmp.Or(s.Word, "PRODUCTION")), Colour: s.Colour,
			Host: batch.Visible(s.Host)},
		Summary: w.tally.rows.Summary(), Rows: s.Rows, ZoneName: zone, Zone: offset / 60}
	switch e := w.journal.End; {
	case h.Account == "sandbox": // as the embedded stand-in is called
		d.Account = page.Band{Kind: "sandbox", Word: "SANDBOX", Host: "the sandbox"}
	case e != nil && e.Trial:
		d.Account.Kind, d.Account.Word = "sandbox", batch.Visible(cmp.Or(s.Word, "SANDBOX"))
	}
	d.Title = d.Heading + " · " + d.Account.Word + " · rowbatch"
	d.Meta = []string{s.RunID, "begun " + s.Started.Local().Format("2 Jan 2006, 15:04:05 MST")}
	if s.Seconds > 0 {
		took := "took " + batch.Span(time.Duration(s.Seconds*float64(time.Second)))
		if s.WaitedSeconds >= 1 {
			took += ", of which " + batch.Span(time.Duration(s.WaitedSeconds*float64(time.Second))) + " waiting"
		}
		d.Meta = append(d.Meta, took)
	}
	if s.Error != "" {
		d.Notes = append(d.Notes, s.Error)
	}
	if w.journal.End == nil {
		d.Notes = append(d.Notes, "This run goes on, or was ended from outside: the page shows what its journal held when it was written.")
	}
	d.Facts = w.facts(s)
	for _, f := range d.Fields {
		text := batch.Plural(f.Changed, "row")
		if f.Cleared > 0 {
			text += ", cleared in " + batch.Thousands(f.Cleared)
		}
		d.Sets = append(d.Sets, page.Fact{Name: f.Name, Text: text})
	}
	var files []string
	for _, path := range []string{s.Report, s.ReportXLSX} {
		if path != "" {
			files = append(files, filepath.Base(path))
		}
	}
	d.Files = strings.Join(files, " and ")
	d.Pace = w.pace(s, d.Summary)
	if w.around != nil {
		d.Around, err = w.around(w.journal, s)
	}
	if d.Around.Unhold != "" {
		d.Facts = append(d.Facts, page.Fact{Name: "Option for coming off hold", Text: d.Around.Unhold})
	}
	return d, err
}

func (w pageWriter) facts(s Summary) (facts []page.Fact) {
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, page.Fact{Name: name, Text: batch.Visible(text)})
		}
	}
	h := w.journal.Head
	mode := map[bool]string{true: "dry run: nothing was sent", false: "live"}[s.DryRun]
	add("Action", h.Action)
	add("File", h.File)
	add("Mapping", h.MapFile)
	add("Mode", mode)
	add("Of", h.Of)
	add("Version", h.Program)
	if w.journal.End != nil {
		means := map[int]string{batch.ExitDone: "every row is as it should be", batch.ExitRows: "some rows need work",
			batch.ExitDoubt: "some rows are in doubt", batch.ExitUsage: "nobody agreed to it"}[s.ExitCode]
		add("Exit status", fmt.Sprintf("%d: %s", s.ExitCode, cmp.Or(means, "stopped before its end")))
	}
	return facts
}

// pace is how requests went. Of their times the journal knows those of the outcomes that
// they led to, and of the account's other users nothing.
func (w pageWriter) pace(s Summary, sum page.Summary) (p page.Pace) {
	p.Requests = fmt.Sprintf("%s: %s, %s", batch.Plural(s.Requests.Total, "request"), batch.Plural(s.Requests.Read, "read"),
		batch.Plural(s.Requests.Write, "write"))
	var missing []string
	if e := w.journal.End; e != nil && e.Limit > 0 {
		p.Limit, p.Usable = e.Limit, e.Usable
	} else {
		missing = append(missing, "What the account allows is not known.")
	}
	if len(sum.Minutes) > 0 {
		missing = append(missing, "A request stands in the minute in which its row was settled.")
	}
	if other := s.Requests.Total - sum.Requests; other > 0 {
		missing = append(missing, batch.Plural(other, "request")+map[bool]string{true: " was", false: " were"}[other == 1]+
			" for no single row, such as for the customer list: when, is not kept.")
	}
	p.Missing = strings.Join(append(missing, "What the account’s other users took is not kept, either."), " ")
	return p
}

// shown are the rows as the page shows them.
func (w pageWriter) shown() iter.Seq2[page.Row, error] {
	return func(yield func(page.Row, error) bool) {
		for row, err := range w.dir.AllRows() {
			var o batch.Outcome
			if err == nil {
				o, err = w.outcome(row)
			}
			if !yield(page.RowOf(row.Line, o), err) || err != nil {
				return
			}
		}
	}
}

// keep puts the page into its place.
func (w pageWriter) keep(s *Summary) error {
	d, err := w.document(*s)
	if err != nil {
		return err
	}
	draft, err := w.dir.Draft("report.html")
	if err != nil {
		return err
	}
	defer draft.Drop()
	if err := d.Write(draft, w.shown()); err != nil {
		return err
	}
	s.ReportHTML, err = draft.Keep()
	s.leave(w.dir, "report.html", s.ReportHTML)
	return err
}
