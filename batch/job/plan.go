package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
	"rowbatch/reports"
	"rowbatch/reports/page"
)

// Plan is what is to be done with which rows, whoever made it: a file, a dry run,
// an earlier run that is gone on with or taken back. It is all that execute knows.
type Plan struct {
	Head     journal.Head
	Settings Settings
	Actions  intake.Actions
	Accounts *Accounts
	Dir      *runs.Dir
	Work     Work
	Names    *action.TrackingCodes        // as the account calls them, as far as it is known
	When     map[string]*action.Condition // by action

	// Rows is the work where it comes from a file: whom they are about is still to be
	// looked up. nil: the rows are an earlier run's.
	Rows *intake.Rows
	// Known tells what a dry run has found, which needs no survey of its own; nil: there was none.
	Known func(row int) (batch.Outcome, error)
	// Past is what earlier processes of this very run have settled, and Again which of
	// these rows are tried once more; nil: it begins.
	Past  *journal.Index
	Again func(batch.Outcome) bool
	// Since is when the run began that is carried out, taken back or gone on with; zero: this is the first.
	Since time.Time
	// Held are the customers whom an undo leaves on hold, by id and name.
	Held []string

	// open begins the journal, or goes on with it: then the folder is a run.
	open func() (*journal.Writer, error)
}

// Work is the rows of a plan.
type Work interface {
	// Source yields the rows that are not settled yet. It ends early when ctx does:
	// what it leaves out is not_attempted in the report.
	Source(ctx context.Context, actions map[string]batch.Action) batch.Source
	// Len is how many there are, settled or not.
	Len() int
	// CountOf is how many rows of an action may be sent; of "", of all actions.
	CountOf(action string) int
	// Has reports whether rows of an action may be sent, in this run or another shard's.
	Has(action string) bool
	// Open counts the rows whose customers may have to be looked at, by action.
	Open() map[string]int
	// Line is where a row starts in the input.
	Line(n int) int
	// Settled reports whether this process has settled a row.
	Settled(n int) bool
	// Final reports whether what a survey found is the row's last word.
	Final(it *batch.Item, o batch.Outcome) bool
	// Note remembers what a pass made of a row.
	Note(it *batch.Item, o batch.Outcome, final bool)
	// EndSurvey notes that the rows which would change are counted: no others may be sent.
	EndSurvey()
	// Count notes that a survey found a row to be sent, or not.
	Count(n int, is bool)
	// Recall notes what an earlier process found out about a row.
	Recall(n int, o batch.Outcome, done bool)
}

// isDry reports whether the plan only shows what would be sent.
func (p *Plan) isDry() bool { return p.Settings.Sending.DryRun }

// left is how many rows there are to go on with.
func (p *Plan) left() (n int, err error) {
	for row := range p.Head.Rows {
		o, err := p.Past.Outcome(row)
		if err != nil {
			return 0, err
		}
		if !o.Kind.Settled() || p.Again(o) {
			n++
		}
	}
	return n, nil
}

// recall tells the work what earlier processes have settled.
func (p *Plan) recall() error {
	for n := range p.Head.Rows {
		o, err := p.Past.Outcome(n)
		if err != nil {
			return err
		}
		p.Work.Recall(n, o, o.Kind.Settled() && !p.Again(o))
	}
	return nil
}

// conditions compiles --when for each action of the rows.
func (p *Plan) conditions() (err error) {
	p.When = map[string]*action.Condition{}
	if p.Settings.Selection.When == "" {
		return nil
	}
	for _, s := range p.Actions.Specs {
		name := s.Schema.Action
		switch {
		case !p.Work.Has(name):
			continue
		case s.Schema.Unreadable:
			return batch.Usage("give them a file of their own",
				"--when cannot be used for the file's %s rows: the API has no call that reads a customer", name)
		}
		if p.When[name], err = condition(p.Settings.Selection.When, s.Overview); err != nil {
			return err
		}
	}
	return nil
}

// checkCondition checks --when before anything is read. Of a mixed file the rows
// decide later which names are known.
func checkCondition(code string, a intake.Actions) error {
	switch {
	case code == "":
		return nil
	case !a.Reaches(action.SystemFusebill):
		return batch.Usage("leave --when out, and choose the rows in the file",
			"--when cannot be used for %s: the API has no call that reads a customer", a.Name)
	}
	_, err := condition(code, a.Any(func(s action.Spec) bool { return s.Overview }))
	return err
}

func condition(code string, overview bool) (*action.Condition, error) {
	c, err := action.NewCondition(code, overview)
	if err != nil {
		return nil, batch.Usage("rowbatch fields update", "--when %v", err)
	}
	return c, nil
}

// mostHoldsByYes is how many customers may be put on hold without their number being given.
const mostHoldsByYes = 100

// mayHold refuses to take many customers out of service on a mere --yes.
func (p *Plan) mayHold() error {
	if s := p.Settings.Sending; s.DryRun || !s.Yes || s.Expect >= 0 {
		return nil
	}
	for name, what := range map[string]string{"hold": "put customers on hold", "unhold": "take customers off hold"} {
		if n := p.Work.CountOf(name); n > mostHoldsByYes {
			return batch.Usage("--dry-run to see how many rows will be sent, then --yes with --expect and that number",
				"%s would %s, and for more than %d --yes alone is not enough; nothing was sent",
				batch.Plural(n, "row"), what, mostHoldsByYes)
		}
	}
	return nil
}

// identity tells a run of the plan from others.
func (p *Plan) identity(now time.Time) Identity { return p.identityOf(p.Head, p.Since, now) }

// identityOf tells a run from others that has to do with the plan. It, or what it is
// of, began then; zero: it is about to.
func (p *Plan) identityOf(h journal.Head, began, now time.Time) Identity {
	i := Identity{ID: h.ID, Mode: h.Mode, Dry: h.IsDry(), Action: h.Action, File: h.File, Of: h.Of, Unhold: UnholdOf(h)}
	if p.Accounts != nil {
		i.Hosts, i.KeyEnds, i.Label = p.Accounts.Hosts(), p.Accounts.keyEnds(), p.Accounts.label()
	}
	if !began.IsZero() {
		i.Age = now.Sub(began)
	}
	if part := p.Settings.Selection.Shard; part.Some() {
		i.Shard = part.String()
	}
	return i
}

// next is the command that leads on from a run of this plan; "" when there is nothing to do.
func (p *Plan) next(s reports.Summary) string {
	h, dir := p.Head, filepath.Dir(p.Dir.Path())
	resume := Command("resume", h.ID, dir)
	if kept, err := SettingsOf(h); err == nil && len(kept.Sending.MayMove) < len(p.Settings.Sending.MayMove) { // given to a resume
		resume += " " + strings.Join(p.Settings.Words("may-move"), " ")
	}
	undo := func(s Settings) string {
		return strings.Join(append([]string{Command("undo", h.Of, dir)}, s.Words("keep-theirs", "unhold", "may-move")...), " ")
	}
	keepTheirs := p.Settings
	keepTheirs.Sending.KeepTheirs = true
	has := func(code string) bool {
		return slices.ContainsFunc(s.Errors, func(e reports.ErrorCount) bool { return e.Code == code })
	}
	switch {
	case s.Outcomes[batch.NotAttempted] == 0 && has("cannot_read_back") && s.ExitCode != batch.ExitUsage:
		return resume + " --failed"
	case s.Outcomes[batch.NotAttempted]+s.Outcomes[batch.InDoubt] > 0 && s.ExitCode != batch.ExitUsage: // else nobody wanted it
		return resume
	case h.Dry && s.Outcomes[batch.WouldChange] > 0:
		return undo(p.Settings)
	case h.Mode == journal.ModeDryRun && s.Outcomes[batch.WouldChange] > 0:
		return Command("apply", h.ID, dir)
	case h.Mode == journal.ModeUndo && s.Outcomes[batch.Conflict] > 0 && !p.Settings.Sending.KeepTheirs:
		return undo(keepTheirs)
	case h.Mode == journal.ModeUndo && s.Outcomes[batch.Failed] > 0:
		return resume + " --failed"
	case p.Settings.Selection.Shard.Some() && s.Outcomes[batch.Failed] > 0 && has("already_linked"): // another shard may free the link
		return resume + " --failed"
	case s.Failed == "", h.Mode == journal.ModeUndo, s.ExitCode == batch.ExitUsage:
		return ""
	case p.Rows != nil && p.Rows.File.Mapper.HasSecrets() && s.Outcomes[batch.Failed] > 0: // failed.csv has no passwords
		return resume + " --failed"
	}
	again, begun := p.Settings, h.Mode == journal.ModeRun && p.Past == nil
	// The failed rows are all to be sent, and their file is CSV in UTF-8, or a workbook of one sheet.
	again.Selection.Limit, again.Selection.Shard, again.Input.Encoding, again.Input.HeaderRow = 0, intake.Shard{}, "", 0
	again.Input.Sheet, again.Input.Hidden = "", xlsxfile.Refuse
	again.Sending.Expect, again.Sending.DryRun, again.Sending.NoChanges = -1, false, false
	if !begun {
		again.Pace, again.Sending.Lookup, again.Output = Defaults().Pace, Defaults().Sending.Lookup, Defaults().Output
		again.Output.Reports = dir
	}
	if s.FailedXLSX != "" {
		again.Input.Delimiter = 0
	}
	return strings.Join(append([]string{"rowbatch", h.Action, QuoteWord(cmp.Or(s.FailedXLSX, s.Failed))}, again.Words()...), " ")
}

// takeBack is the command that takes a run of this plan back; none when it changed nothing
// that can be. With which option customers come off hold is a person's to choose.
func (p *Plan) takeBack(s reports.Summary) []string {
	if s.Outcomes[batch.Changed] == 0 || p.Head.Mode == journal.ModeUndo || !slices.Contains(p.Head.Systems, action.SystemFusebill) {
		return nil
	}
	if p.Head.Action == "hold" {
		return p.unhold(s)
	}
	return []string{Command("undo", p.Head.ID, filepath.Dir(p.Dir.Path()))}
}

// unhold are the commands that take customers off hold, to choose from: those whom the run
// itself has put there, or of an undo the run that it takes back.
func (p *Plan) unhold(s reports.Summary) []string {
	of := p.Head.Of
	if s.Held {
		of = p.Head.ID
	}
	return unholdCommands(of, filepath.Dir(p.Dir.Path()))
}

// unholdCommands are those that take back a run with its holds, one for each option.
func unholdCommands(id, reports string) (all []string) {
	for _, option := range client.ServiceStartOptions() {
		all = append(all, Command("undo", id, reports)+" --unhold "+option)
	}
	return all
}

// reporting is how the report of a run of this plan is written.
func (p *Plan) reporting(o Output) reports.Options {
	return reports.Options{Escape: csvfile.Escape, Workbook: o.XLSX, HTML: o.HTML, Around: p.around}
}

// around is what report.html says beside the run itself.
func (p *Plan) around(j *runs.Journal, s reports.Summary) (a page.Around, err error) {
	a.Unhold = UnholdOf(p.Head)
	if next := p.next(s); next != "" {
		verb := strings.Fields(next)[1]
		what := map[string]string{"apply": "To send it", "resume": "To go on with it", "undo": "To take back the rest"}[verb]
		switch {
		case what == "":
			what = "To run the rows again that need work, once they are corrected"
		case verb == "undo" && p.Head.Dry:
			what = "To send it"
		}
		a.Next = append(a.Next, page.Command{What: what, Lines: []string{next}})
	}
	if back := p.takeBack(s); len(back) > 0 {
		what := map[bool]string{true: "To take it back", false: "To take it back, one of"}[len(back) == 1]
		a.Next = append(a.Next, page.Command{What: what, Lines: back})
	}
	if s.Held && s.Action != "hold" { // which an undo leaves where they are
		a.Next = append(a.Next, page.Command{What: "To take its holds back, too, one of", Lines: p.unhold(s)})
	}
	if !s.DryRun {
		return a, nil
	}
	if s.Forecast != nil && s.Outcomes[batch.WouldChange] > 0 {
		a.Forecast = forecastText(*s.Forecast)
	}
	shown, err := PreviewOf(j, nil)
	if err == nil {
		a.Stakes = shown.Stakes.Table(shown.Holds + shown.Unholds)
	}
	return a, err
}

// Command is a command line that takes up a run of a reports folder.
func Command(verb, id, reports string) string {
	line := "rowbatch " + verb + " " + id
	if reports != DefaultReports {
		line += " --reports " + QuoteWord(reports)
	}
	return line
}

// actions makes a pass's actions, by name. warn is told what people should know of the account.
func (p *Plan) actions(warn func(code, text string)) map[string]batch.Action {
	all := map[string]batch.Action{}
	if option := p.Settings.Sending.Unhold; option != "" {
		with := p.Accounts.Services
		with.MayMove, with.Warn = p.Settings.Sending.MayMove, warn
		all["unhold"] = action.NewUnhold(with, option)
	}
	for _, s := range p.Actions.Specs {
		name, with := s.Schema.Action, p.Accounts.Services
		with.Codes, with.Condition, with.HoldSuspended = p.Names, p.When[name], p.Settings.Sending.HoldSuspended
		with.Planned, with.Warn, with.Stored = p.Known != nil, warn, p.Accounts.spellings(p.Dir)
		with.MayMove = p.Settings.Sending.MayMove
		all[name] = s.New(with)
	}
	return all
}

// earlier is a run whose rows are carried out or taken back.
type earlier struct {
	dir     *runs.Dir
	journal *runs.Journal
	names   *action.TrackingCodes
	choice  *choice // of a plan: which of its rows are carried out; nil: all
}

// outcome is what the run has recorded of a row, or why that is left out.
func (e *earlier) outcome(n int) (batch.Outcome, error) {
	o, err := e.journal.Outcome(n)
	if err == nil && e.choice.leavesOut(n) {
		o = batch.Outcome{Kind: batch.Skipped, Key: o.Key, ID: o.ID, Customer: o.Customer, Error: e.choice.why(n)}
	}
	return o, err
}

// lines are where its rows start in the input: 4 bytes a row.
func (e *earlier) lines() (all []uint32, err error) {
	for row, err := range e.dir.AllRows() {
		if err != nil {
			return nil, err
		}
		all = append(all, uint32(row.Line))
	}
	if n := e.journal.Head.Rows; len(all) != n {
		err = &runs.RowsError{Path: e.dir.Path(), Why: fmt.Sprintf("it keeps %d rows instead of %d", len(all), n)}
	}
	return all, err
}

// openEarlier reads the journal of another run. Close it.
func openEarlier(dir *runs.Dir) (*earlier, error) {
	j, err := dir.OpenAnyJournal()
	if err != nil {
		return nil, err
	}
	names, err := action.RecalledCodes(j.Names)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &earlier{dir: dir, journal: j, names: names}, nil
}

// earlierRows are the rows of a plan that are an earlier run's.
type earlierRows struct {
	intake.RowState
	lines   []uint32
	actions []string // of the rows that may be sent; "" of the others
	reverse bool     // the last row first
	// item makes the item of a row that may be sent; without an action yet.
	item func(n int) (*batch.Item, error)
	// rest is the outcome of a row that is not.
	rest func(n int) (batch.Outcome, error)
}

func newEarlierRows(of *earlier, several bool) (*earlierRows, error) {
	n := of.journal.Head.Rows
	lines, err := of.lines()
	return &earlierRows{RowState: intake.NewRowState(n, several), lines: lines, actions: make([]string, n)}, err
}

func (w *earlierRows) Line(n int) int { return int(w.lines[n]) }

func (w *earlierRows) CountOf(name string) (n int) {
	for i, a := range w.actions {
		if a != "" && w.Undecided(i) && (name == "" || a == name) {
			n++
		}
	}
	return n
}

func (w *earlierRows) Has(name string) bool { return w.CountOf(name) > 0 }

func (w *earlierRows) Open() map[string]int {
	all := map[string]int{}
	for i, a := range w.actions {
		if a != "" && w.Undecided(i) {
			all[a]++
		}
	}
	return all
}

func (w *earlierRows) Source(ctx context.Context, actions map[string]batch.Action) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for i := range w.actions {
			n := i
			if w.reverse {
				n = len(w.actions) - 1 - i
			}
			if ctx.Err() != nil {
				return
			}
			if w.Settled(n) {
				continue
			}
			it, err := w.make(n, actions)
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

func (w *earlierRows) make(n int, actions map[string]batch.Action) (*batch.Item, error) {
	if w.actions[n] == "" {
		out, err := w.rest(n)
		out.Requests, out.Sends, out.Millis = 0, 0, 0 // those were the earlier run's
		return &batch.Item{N: n, Key: out.Key, ID: out.ID, Out: &out}, err
	}
	it, err := w.item(n)
	if err != nil {
		return nil, err
	}
	w.Prepare(it, n)
	it.Action, it.More = actions[w.actions[n]], w.Several()
	return it, nil
}
