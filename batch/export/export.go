// Package export writes customers to a file, to be edited and sent back: all of them,
// those of a query, or those whom a file names.
//
// An export is a run that reads: its folder keeps the customers as they were, by
// which an update knows later which cells somebody has touched. One that does not
// come to its end keeps nothing. What there is to see goes to a job's front, like
// that of any run.
package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/mapping"
	"rowbatch/reports"
)

// Result is how an export ended. Its exit code stands in the summary.
type Result struct {
	Summary reports.Summary
	Folder  string // of the run, which keeps the customers as they were exported
	Next    string // what to do with the file once it is edited; "": it cannot come back from where it is
}

// Export writes customers to the file of o, or to stdout: those whom the rows of file
// name, or without one those of o's query. stdin is read where file is -.
func Export(j job.Job, c job.Control, o Options, file string, stdin io.Reader, stdout io.Writer) (*Result, error) {
	columns, err := o.columns()
	if err != nil {
		return nil, err
	}
	out, err := openSheet(o.Output, o.Force, stdout)
	if err != nil {
		return nil, err
	}
	j.Settings.Sending.DryRun = true        // there is nothing to write to the account
	j.Settings.Input.AllowDuplicates = true // who is named twice is exported once
	x := &export{Session: j.Start(c), options: o, file: file, copies: &copies{columns: columns, out: out, types: map[string]bool{}}}
	x.overview = slices.ContainsFunc(columns, func(c action.ExportColumn) bool { return c.Overview })
	defer x.Release()
	var result *Result
	if err = x.prepare(stdin); err == nil {
		result, err = x.carryOut()
		err = asFailure(err)
	}
	if err != nil {
		out.Drop()
		if x.dir != nil && !x.begun {
			err = errors.Join(err, x.dir.Discard())
		}
		return nil, err
	}
	return result, nil
}

// asFailure gives what kept an export from its end the right exit code.
func asFailure(err error) error {
	if err == nil {
		return nil
	}
	if fault := (*batch.Fault)(nil); errors.As(err, &fault) || job.ExitCode(err) != batch.ExitUsage {
		return err
	}
	if day := (*governor.DayLimitError)(nil); errors.As(err, &day) {
		return stopped(day.Text(), "the same command again after that, or with --wait")
	}
	return stopped(err.Error(), "the same command again, when the server answers")
}

// stopped is why an export has nothing to show.
func stopped(text, try string) error {
	return &batch.Fault{Code: batch.ExitStopped, Text: text + "; nothing was kept", Try: try}
}

// export is an export under way.
type export struct {
	*job.Session
	options  Options
	overview bool   // some columns are of the overview
	file     string // that names the customers; "": the list does
	accounts *job.Accounts
	fusebill *client.Fusebill
	lister   *intake.Lister
	sets     bool // whom references have named are asked for in sets of ids
	dir      *runs.Dir
	begun    bool // it may be a run, which keeps its folder
	copies   *copies
	rows     *intake.Rows          // of file
	needed   []action.ExportColumn // that the list does not show
	refused  []reports.ErrorCount
}

// prepare connects, and makes the run's folder, with a copy of FILE in it.
func (x *export) prepare(stdin io.Reader) (err error) {
	actions := Actions()
	if x.accounts, err = x.Connect(x.Settings, actions, x.file, []string{action.SystemFusebill}); err != nil {
		return err
	}
	x.fusebill = x.accounts.Fusebill.Client
	x.lister = &intake.Lister{Stop: x.Stop, Fusebill: x.fusebill, How: intake.LookupAuto,
		Workers: x.Settings.WorkersOf(action.SystemFusebill), Progress: x}
	if x.dir, err = x.MakeDir(actions.Name, cmp.Or(x.file, "customers")); err != nil || x.file == "" {
		return err
	}
	source := intake.Source{Name: x.file, Stdin: stdin, Actions: actions, Input: x.Settings.Input, Exports: x.Settings.Output.Exports()}
	if x.rows, err = job.TakeIn(x.Stop, source, x.dir); err == nil {
		x.Show(job.FileRead{Rows: x.rows})
	}
	return err
}

// carryOut reads the customers, and makes of what it has written a run and a file.
func (x *export) carryOut() (*Result, error) {
	err := x.copies.begin(x.dir)
	if err != nil {
		return nil, err
	}
	if x.rows != nil {
		err = x.readNamed()
	} else {
		err = x.readAll()
	}
	if x.Stop.Err() != nil {
		err = context.Cause(x.Stop)
	}
	if closed := x.copies.baseline.Close(); err == nil { // else it may be the same once more
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return x.keep()
}

// fetched is a customer on its way into the file.
type fetched struct {
	line      int    // of FILE
	reference string // behind which the id is still to be found
	id        string
	record    []byte // nil: still to be read
	overview  []byte
	problem   *mapping.Problem // why it cannot be exported
}

// readAll exports the customers of the list in its order. One that a page repeats
// from the one before is left out; of one that shifts to where it is not seen, the
// list tells.
func (x *export) readAll() error {
	list := x.fusebill.List(x.options.Query, 0, x.lister.Workers)
	var before map[uint64]bool // who was on the page before; nil: this is the first
	seen := 0
	for page, rep := range x.lister.Pages(list) {
		switch {
		case x.Stop.Err() != nil:
			return context.Cause(x.Stop)
		case rep.Class == client.Refused && !client.EndsRun(rep.Err) && x.options.Query != "" && before == nil:
			return batch.Usage("--query 'status:Active'", "the server refused to list customers: %v", rep.Err)
		case rep.Class == client.Refused && !client.EndsRun(rep.Err):
			return stopped("the server refused to list customers: "+rep.Err.Error(),
				"--verbose, which shows the requests; rowbatch export FILE asks for each customer by itself")
		case rep.Class != client.Answered:
			return rep.Err
		case list.Lost():
			return errors.New("the server's list of customers does not come to an end")
		case list.Nobodys() > 0:
			return stopped("the server's list shows customers without an id, who would be missing",
				"rowbatch export FILE, with the ids of the customers wanted")
		}
		var fresh []fetched
		ids := map[uint64]bool{}
		for _, row := range page.Rows {
			if !before[row.ID] && !ids[row.ID] {
				fresh = append(fresh, fetched{id: strconv.FormatUint(row.ID, 10), record: row.Raw})
			}
			ids[row.ID] = true
		}
		if before == nil {
			total := max(list.Count(), len(fresh))
			defer x.PhaseOf("exporting", total, x.copies.progress, x.announce(fresh, total))()
		}
		before = ids
		seen += len(fresh)
		if err := x.add(fresh); err != nil {
			return err
		}
	}
	if !list.Complete() && list.Count() >= 0 { // a server that does not say how many there are leaves it open
		x.Notice("list_changed", fmt.Sprintf("the list changed while it was read: it speaks of %s, and showed %s; %s",
			batch.Plural(list.Count(), "customer"), batch.Thousands(seen), "some may be missing, whom the same command again may find"))
	}
	return nil
}

// announce says what the columns cost beyond the list, once its first page is there,
// and returns what is still to be asked for.
func (x *export) announce(page []fetched, total int) job.Demand {
	requests := 0
	if len(page) > 0 {
		requests = (total - 1) / len(page)
	}
	more, lacking := "one request more for each of "+batch.Plural(total, "customer"), []string(nil)
	for _, c := range x.copies.columns {
		if !c.Overview && slices.ContainsFunc(page, func(f fetched) bool { return !c.Carried(f.record) }) {
			x.needed, lacking = append(x.needed, c), append(lacking, c.Name)
		}
	}
	if len(lacking) > 0 {
		requests += total
		x.Notice("not_in_list", "the customer list does not show "+strings.Join(lacking, ", ")+": "+more)
	}
	if x.overview {
		requests += total
		x.Notice("overview_cost", "balances and dates take "+more)
	}
	return job.Demand{Requests: map[string]int{action.SystemFusebill: requests}, Together: 1}
}

// pageRows is how many customers of FILE are read before they are written.
const pageRows = 1000

// readNamed exports the customers whom FILE names, in its order: from the list as
// far as that shows them.
func (x *export) readNamed() (err error) {
	listed, err := x.readListed()
	defer func() { err = errors.Join(err, listed.close()) }()
	if err != nil {
		return err
	}
	defer x.PhaseOf("exporting", x.rows.Len(), x.copies.progress, x.demandBeside(listed))()
	page, named, again := make([]fetched, 0, pageRows), map[string]bool{}, 0
	flush := func() error {
		if err := x.findReferences(page); err != nil {
			return err
		}
		err := x.add(slices.DeleteFunc(page, func(f fetched) bool {
			before := f.problem == nil && named[f.id]
			if before {
				again++
			}
			named[f.id] = true
			return before
		}))
		page = page[:0]
		return err
	}
	for row, err := range x.rows.Named() {
		f := fetched{line: row.Line, problem: row.Problem}
		switch {
		case err != nil:
			return err
		case row.Problem != nil:
		case listed.has(row.N):
			if f.record, err = listed.record(row.N); err != nil {
				return err
			}
			f.id = gjson.GetBytes(f.record, "id").String()
		case row.Field != "id":
			f.reference = action.Key(row.Field, row.Key)
		default:
			f.id = row.Key
		}
		if page = append(page, f); len(page) == pageRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if again > 0 {
		rows := "1 row names"
		if again > 1 {
			rows = batch.Thousands(again) + " rows name"
		}
		x.Show(job.Notice{Code: "named_again", File: x.file, Text: rows + " a customer again, who is exported once"})
	}
	return nil
}

// isShort reports whether a row of the list does not show all that is wanted.
func (x *export) isShort(row client.ListRow) bool {
	return slices.ContainsFunc(x.copies.columns, func(c action.ExportColumn) bool { return !c.Overview && !c.Carried(row.Raw) })
}

// need is what of the customers whom FILE names is still to be found out.
func (x *export) need(listed *records) intake.Need {
	n, rows := intake.Need{Sure: true}, x.rows.File.Checked
	for row := range rows.Rows {
		if rows.OK(row) && !listed.has(row) {
			n.Reads++
			if rows.KeyField(row) != "id" {
				n.Searches++
			}
		}
	}
	return n
}

// ids yields the customers whom FILE names by id.
func (x *export) ids(yield func(uint64) bool) {
	for row, err := range x.rows.Named() {
		if err != nil {
			return // the next pass meets it too, and tells
		}
		id, err := strconv.ParseUint(row.Key, 10, 64)
		if err == nil && row.Problem == nil && row.Field == "id" && !yield(id) {
			return
		}
	}
}

// readListed reads the customers whom FILE names from the list, or in sets of their
// ids, where that takes the fewest requests. It returns nil where neither does, or
// does not show all that is wanted.
func (x *export) readListed() (listed *records, err error) {
	rows, finder := x.rows.File.Checked, (*intake.Finder)(nil)
	begin := func(first client.ListPage) (_ intake.Take, err error) {
		if slices.ContainsFunc(first.Rows, x.isShort) {
			return nil, nil
		}
		if finder, err = intake.NewFinder(x.rows); err == nil {
			listed, err = newRecords(x.dir, rows)
		}
		return func(c client.ListRow, _ time.Time) error {
			for m, err := range finder.Find(c) {
				if err == nil && rows.OK(m.N) {
					err = listed.keep(m.N, c.Raw, x.isShort(c))
				}
				if err != nil {
					return err
				}
			}
			return nil
		}, err
	}
	complete, way := false, ""
	for done := false; !done && err == nil; {
		need := x.need(nil)
		switch way, err = x.lister.Way(need); {
		case err == nil && way == intake.LookupList:
			complete, err = x.lister.Walk(begin)
			done = true
		case err == nil && way == intake.LookupIDs && need.Searches == 0:
			done, err = x.lister.ByID(x.ids, need.Reads, begin)
		default:
			x.sets, done = way == intake.LookupIDs, true
		}
	}
	if finder != nil {
		if err := finder.Close(); err != nil { // it has served
			x.Show(job.Trouble{Err: err})
		}
	}
	if listed != nil && !complete { // it may have left out another customer who bears the same reference: that is searched for
		listed.forgetReferences()
	}
	return listed, err
}

// demandBeside is what the customers of FILE take whom the list has not shown, each of them once.
func (x *export) demandBeside(listed *records) job.Demand {
	need := x.need(listed)
	requests := need.Searches + need.Reads
	if x.sets {
		requests = need.Searches + intake.SetsOf(need.Reads)
	}
	if x.overview {
		requests += x.need(nil).Reads
	}
	return job.Demand{Requests: map[string]int{action.SystemFusebill: requests}, Together: 1, AtMost: true}
}

// findReferences finds the ids behind references.
func (x *export) findReferences(page []fetched) error {
	l := &action.Lookup{Fusebill: x.fusebill, Workers: x.Settings.WorkersOf(action.SystemFusebill)}
	questions := func(yield func(int, string) bool) {
		for at := range page {
			if ref := page[at].reference; ref != "" && !yield(at, ref) {
				return
			}
		}
	}
	return l.References(x.Stop, questions, func(at int, f action.Found) {
		switch {
		case f.Out != nil:
			page[at].problem = &mapping.Problem{Code: f.Out.Code, Text: f.Out.Error}
		case f.ID != 0:
			page[at].id = strconv.FormatUint(f.ID, 10)
		}
	})
}

// readSets asks for the customers of a page in sets of their ids. Who is not found is
// asked for by himself; where rows do not show all that is wanted, all are.
func (x *export) readSets(page []fetched) error {
	at := map[uint64]*fetched{}
	for i := range page {
		id, err := strconv.ParseUint(page[i].id, 10, 64)
		if err == nil && page[i].record == nil && page[i].problem == nil {
			at[id] = &page[i]
		}
	}
	if len(at) < 2 {
		return nil
	}
	done, err := x.lister.ByID(slices.Values(slices.Sorted(maps.Keys(at))), 0, func(client.ListPage) (intake.Take, error) {
		return func(c client.ListRow, _ time.Time) error {
			if x.isShort(c) {
				x.sets = false
			} else {
				at[c.ID].record = c.Raw
			}
			return nil
		}, nil
	})
	x.sets = x.sets && done
	return err
}

// add reads what is not known yet of the next customers, several at once, and writes them.
func (x *export) add(page []fetched) error {
	if x.sets {
		if err := x.readSets(page); err != nil {
			return err
		}
	}
	workers, stop := errgroup.WithContext(x.Stop)
	workers.SetLimit(x.Settings.WorkersOf(action.SystemFusebill))
	for i := range page {
		f := &page[i]
		lacks := f.record == nil || slices.ContainsFunc(x.needed, func(c action.ExportColumn) bool { return !c.Carried(f.record) })
		if f.problem != nil || stop.Err() != nil || !lacks && !x.overview {
			continue
		}
		workers.Go(func() (err error) {
			if lacks {
				f.record, err = x.ask(stop, f, x.fusebill.Customer)
			}
			if err == nil && x.overview && f.problem == nil {
				f.overview, err = x.ask(stop, f, x.fusebill.Overview)
			}
			return err
		})
	}
	err := workers.Wait()
	if err = cmp.Or(err, context.Cause(x.Stop)); err != nil {
		return err
	}
	for _, f := range page {
		if f.problem != nil {
			x.refuse(f.line, f.problem)
			continue
		}
		if err := x.copies.write(f.record, f.overview); err != nil {
			return err
		}
	}
	return nil
}

// ask repeats a request about a customer until it is answered, or refused: then
// he cannot be exported.
func (x *export) ask(stop context.Context, f *fetched, read func(context.Context, *governor.Lease, string) client.Reply) ([]byte, error) {
	rep := x.fusebill.Patiently(x.Stop, func() client.Reply { return read(stop, nil, f.id) })
	switch {
	case rep.Class == client.Answered:
		return rep.Body, nil
	case rep.Class != client.Refused || client.EndsRun(rep.Err):
		return nil, rep.Err
	}
	code := "http_" + strconv.Itoa(rep.Status)
	if rep.Status == http.StatusNotFound {
		code = "not_found"
	}
	f.problem = &mapping.Problem{Code: code, Text: "customer " + f.id + ": " + rep.Err.Error()}
	return nil, nil
}

// mostNamed is how many lines are named for one kind of trouble.
const mostNamed = 10

// refuse counts a customer who cannot be exported, and says why.
func (x *export) refuse(line int, p *mapping.Problem) {
	i := slices.IndexFunc(x.refused, func(e reports.ErrorCount) bool { return e.Code == p.Code })
	if i < 0 {
		i = len(x.refused)
		x.refused = append(x.refused, reports.ErrorCount{Code: p.Code, Fix: batch.Fix(p.Code)})
	}
	e := &x.refused[i]
	if e.Count++; len(e.Lines) < mostNamed && line > 0 {
		e.Lines = append(e.Lines, line)
		x.Show(job.RowRefused{File: x.file, Line: line, Problem: p})
	}
}

// keep makes the folder a run, and only then puts the file in its place: the
// rows of a file that is there can always be compared.
func (x *export) keep() (*Result, error) {
	if err := x.copies.out.Finish(); err != nil {
		return nil, err
	}
	o := x.options
	o.Columns = strings.Join(x.copies.names(), ",")
	settings, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	h := journal.Head{
		Program: x.Program, ID: x.dir.ID(), Started: x.Began.UTC(), Mode: journal.ModeExport, Action: Actions().Name,
		Source: journal.Source{File: cmp.Or(x.file, x.options.Query, "customers"), Delimiter: ","},
		Target: x.accounts.Target(), Settings: settings, Rows: x.copies.count(),
	}
	x.begun = true // a folder that does not become a run is removed by Begin
	record, err := x.Begin(x.dir, h)
	if err != nil {
		return nil, err
	}
	code := batch.ExitDone
	if len(x.refused) > 0 {
		code = batch.ExitRows
	}
	end := x.End(code, 0)
	if err := record.End(end); err != nil {
		return nil, err
	}
	if err := x.copies.out.Keep(); err != nil {
		return nil, err
	}
	_ = x.dir.RemoveFile(runs.PartName)
	s := reports.Summary{
		Origin: reports.OriginOf(h), Ended: end.At, Rows: h.Rows, Outcomes: map[batch.Kind]int{},
		Requests: reports.Requests{Read: end.Reads, Total: end.Reads}, Seconds: end.Seconds,
		WaitedSeconds: end.Waited, Waited: end.WaitedFor,
		Errors: append([]reports.ErrorCount{}, x.refused...), ExitCode: code,
	}
	if err := s.Write(x.dir); err != nil {
		return nil, err
	}
	if missing := x.copies.hidden(); len(missing) > 0 && x.options.Columns == "" { // whoever has chosen columns knows
		x.Notice("not_exported", "not exported: "+strings.Join(missing, ", ")+" (name them in --columns)")
	}
	return &Result{Summary: s, Folder: x.dir.Path(), Next: x.next()}, nil
}

// next says how the file comes back. A file on standard output is somewhere else,
// and one that names no customers cannot.
func (x *export) next() string {
	named := slices.ContainsFunc(x.copies.columns, func(c action.ExportColumn) bool { return c.Name == "id" || c.Name == "reference" })
	if x.options.Output == "-" || x.copies.count() == 0 || !named {
		return ""
	}
	words := append([]string{"rowbatch update", job.QuoteWord(x.options.Output)}, x.Settings.Words("sandbox", "reports")...)
	return strings.Join(append(words, "--dry-run"), " ")
}
