package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/batch/sheet"
	"rowbatch/mapping"
	"rowbatch/reports"
)

const exportName = "export"

// export is a run that reads customers into a file.
type export struct {
	*run
	flags    *exportFlags
	columns  []action.ExportColumn // of the file, without rb_export
	out      sheet.Sheet
	baseline *runs.BaselineWriter
	customer action.ExportColumn // the id, which the baseline must have
	count    atomic.Int64        // customers written
	types    map[string]bool     // of sales tracking codes that were seen
	needed   []action.ExportColumn
	errors   []reports.ErrorCount
	listed   *listedRows     // of FILE; nil: they are asked for one by one
	named    map[string]bool // by FILE so far
	again    int             // rows of FILE that name one of them
}

// carryOut keeps nothing of an export that does not come to its end.
func (x *export) carryOut() error {
	if err := x.chooseColumns(); err != nil {
		return err
	}
	var err error
	if x.out, err = sheet.Open(x.flags.output, x.flags.force, x.console.out); err != nil {
		return err
	}
	if err := x.prepare(); err != nil {
		x.out.Drop()
		return err
	}
	err = x.read()
	if err == nil {
		err = x.keep()
	}
	if err != nil {
		x.out.Drop()
		return errors.Join(asExportFailure(err), x.discard())
	}
	return x.sayExport()
}

// discard removes the folder, unless it has become a run.
func (x *export) discard() error {
	if x.head.ID != "" {
		return nil
	}
	return x.dir.Discard()
}

func (x *export) chooseColumns() error {
	x.customer = action.DefaultColumns()[0]
	x.columns = action.DefaultColumns()
	if x.flags.names != "" {
		x.columns = nil
		for name := range strings.SplitSeq(x.flags.names, ",") {
			c, err := action.FindColumn(name)
			switch {
			case err != nil:
				return usage("rowbatch fields update", "--columns: %v", err)
			case slices.Contains(x.columns, c):
				return usage("", "--columns names %s twice", c.Name)
			}
			x.columns = append(x.columns, c)
		}
	}
	for _, c := range action.OverviewColumns() {
		if x.flags.overview && !slices.Contains(x.columns, c) {
			x.columns = append(x.columns, c)
		}
	}
	return nil
}

// prepare makes the run's folder, and begins the two copies of the rows.
func (x *export) prepare() (err error) {
	if err := x.connect([]string{action.SystemFusebill}); err != nil {
		return err
	}
	if x.file != "" {
		err = x.readInput()
	} else {
		err = x.makeDir(exportName, "customers")
	}
	if err != nil {
		return err
	}
	x.closers = append(x.closers, x.unlockDir)
	x.types, x.named = map[string]bool{}, map[string]bool{}
	names := append(x.names(), "rb_export")
	if path := x.out.Draft(); path != "" {
		err = x.dir.NoteBeside(absolute(path))
	}
	if err == nil {
		x.baseline, err = x.dir.WriteBaseline(append([]string{x.customer.Name}, x.names()...))
	}
	if err == nil {
		err = x.out.Write(names)
	}
	if err != nil {
		return errors.Join(asExportFailure(err), x.dir.Discard())
	}
	return nil
}

func (x *export) names() (names []string) {
	for _, c := range x.columns {
		names = append(names, c.Name)
	}
	return names
}

func (x *export) read() error {
	err := x.readCustomers()
	if x.stopped() {
		err = x.stopCause()
	}
	if closed := x.baseline.Close(); err == nil { // else it may be the same once more
		err = closed
	}
	return err
}

// keep makes the folder a run, and only then puts the file in its place: the
// rows of a file that is there can always be compared.
func (x *export) keep() error {
	h := journal.Head{
		ID: x.dir.ID(), Mode: journal.ModeExport, Action: exportName, Source: journal.Source{File: cmp.Or(x.file, x.flags.query, "customers"), Delimiter: ","},
		Account: x.services.account(), Systems: x.services.systems(), Settings: settings(x.exportOptions()), Rows: int(x.count.Load()), Started: x.began.UTC(), Program: Version,
	}
	x.head = h
	if err := x.out.Finish(); err != nil {
		x.head = journal.Head{}
		return err
	}
	record, err := x.dir.CreateJournal(h)
	if err != nil {
		x.head = journal.Head{}
		return err
	}
	waited := x.services.waited()
	end := journal.End{Reads: x.services.requests(), Seconds: millis(time.Since(x.began)), Waited: inAll(waited), WaitedFor: waited, Exit: x.exitCode()}
	if err := record.End(end); err != nil {
		return err
	}
	if err := x.out.Keep(); err != nil {
		return err
	}
	x.dir.ForgetBeside()
	return nil
}

func (x *export) exportOptions() map[string]string {
	o := map[string]string{"columns": strings.Join(x.names(), ","), "output": x.flags.output}
	if x.flags.query != "" {
		o["query"] = x.flags.query
	}
	return o
}

// add writes the next customers, each with its overview where that is shown.
func (x *export) add(all []fetched) error {
	for _, f := range all {
		if f.problem != nil {
			x.note(f.line, f.problem)
			continue
		}
		action.TrackingTypes(f.record, x.types)
		cells := make([]string, 0, len(x.columns)+2)
		cells = append(cells, x.customer.Cell(f.record, nil))
		for _, c := range x.columns {
			cells = append(cells, c.Cell(f.record, f.overview))
		}
		if err := x.baseline.Append(cells); err != nil {
			return err
		}
		if err := x.out.Write(x.shown(cells[1:])); err != nil {
			return err
		}
		x.count.Add(1)
	}
	return nil
}

// shown are the cells of a row as the file shows them.
func (x *export) shown(cells []string) []string {
	for i, c := range x.columns {
		if !c.Overview || !reports.IsNumber(cells[i]) { // a debt is no formula
			cells[i] = x.out.Escape(cells[i])
		}
	}
	return append(cells, x.dir.ID())
}

// note counts a customer that could not be exported, and says why.
func (x *export) note(line int, p *mapping.Problem) {
	i := slices.IndexFunc(x.errors, func(e reports.ErrorCount) bool { return e.Code == p.Code })
	if i < 0 {
		i = len(x.errors)
		x.errors = append(x.errors, reports.ErrorCount{Code: p.Code, Fix: batch.Fix(p.Code)})
	}
	e := &x.errors[i]
	if e.Count++; len(e.Lines) < mostNamed && line > 0 {
		e.Lines = append(e.Lines, line)
		fmt.Fprintf(x.console.err, "%s: line %d: %s: %s\n", x.file, line, p.Code, reports.Visible(p.Text))
	}
}

// mostNamed is how many lines are named for one kind of trouble.
const mostNamed = 10
