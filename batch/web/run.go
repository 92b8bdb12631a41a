package web

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/batch/ui"
	"rowbatch/client"
	"rowbatch/reports/page"
)

// runPages are the pages of single runs.
type runPages struct{ *site }

// runView is a run as its page shows it: a preview, one that is under way, or a result.
type runView struct {
	frame
	about
	State  job.State
	Rows   int
	Counts []countOf
	forScripts
	Notes     []string
	Attention []remark
	Facts     []page.Fact

	Planned, Running, Own bool
	Phase, Resume         string // of one that is under way
	previewView
	resultView
}

// about is what is said of a run on top of its page.
type about struct{ ID, Of, Heading, Lead, When, Took, Jump string }

// forScripts is what its script must know.
type forScripts struct{ CountsJSON, KindsJSON, FixesJSON string }

// previewView is what somebody decides by before anything is sent.
type previewView struct {
	Would                                         int
	Verb, Noun, LeftOut                           string
	Fields                                        []page.Fact
	Stakes                                        *page.Stakes
	Forecast, Reserve, Applied                    string
	Wrong                                         *trouble // why it was not sent
	SendHeading, SendButton, SendText, Old, Typed string
	Undoable                                      bool
}

// resultView is what a run has left, and what can be done now.
type resultView struct {
	Causes                               []page.Cause
	Minutes, RequestsText, ResumeText    string
	CanResume, CanRetry, CanUndo, Undone bool
	Unhold                               []string
	MayStay                              bool // on hold: an undo may have more to put back
	Files                                []download
}

// remark is something that wants attention, with what finds its rows.
type remark struct{ Text, Find string }

func (s runPages) showRun(w http.ResponseWriter, r *http.Request) {
	if i, ok := s.find(w, r); ok {
		s.showListed(w, i, http.StatusOK, nil)
	}
}

// showListed shows a run, with what was wrong when something was asked of it.
func (s runPages) showListed(w http.ResponseWriter, i job.Listed, status int, wrong error) {
	v := &runView{State: i.State, Rows: i.Head.Rows,
		forScripts: forScripts{KindsJSON: inJSON(page.Order(isDry(i))), FixesJSON: inJSON(fixes())},
		about:      about{ID: i.ID, Of: i.Head.Of, When: when(i.Head.Started, time.Now()), Heading: page.Heading(i.Head)}}
	own := s.watchOf(i.ID)
	v.Own = own != nil && !own.ended()
	v.Running = v.Own || i.State == job.Running
	if v.Running {
		v.State = job.Running
	}
	v.frame = frame{Title: v.Heading, Script: "run.js", Nav: "runs", Account: s.bandOfRun(i)}
	v.CountsJSON = inJSON(i.Counts)
	for _, kind := range page.Order(isDry(i)) {
		if n := i.Counts[kind]; n > 0 || v.Running {
			v.Counts = append(v.Counts, countOf{kind, n})
		}
	}
	v.Lead, v.Jump = page.Lead(i.Head, i.Counts, i.State == job.Stopped), ui.CountsText(i.Head.Rows, i.Counts)
	v.Facts = append(v.Facts, page.Fact{Name: "File", Text: filepath.Base(i.Head.File)})
	if option := job.UnholdOf(i.Head); option != "" {
		v.Facts = append(v.Facts, page.Fact{Name: "Option for coming off hold", Text: option})
	}
	if own != nil {
		v.Notes = own.now(0).Notes
	} else if i.End != nil && i.End.Cause != "" {
		v.Notes = []string{i.End.Cause}
	}
	at, prepare := "Result", s.prepareResult
	switch {
	case v.Running:
		at = "Send"
		if isDry(i) {
			at = "Preview"
		}
		v.Phase, v.Resume, v.Lead = "Beginning", job.Command("resume", i.ID, s.Settings.Output.Reports), "Beginning…"
		prepare = nil
	case isDry(i) && i.State != job.Stopped:
		at, v.Planned, prepare = "Preview", true, s.preparePreview
	}
	v.Wrong = told(wrong)
	if err := s.prepare(v, i, prepare); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	v.Steps = s.stepsOfRun(i, at)
	s.show(w, status, "run", v)
}

// prepare adds to a run's page what its journal tells.
func (s runPages) prepare(v *runView, i job.Listed, more func(*runView, job.Listed, *runs.Dir, *runs.Journal) error) error {
	if i.State == job.Damaged {
		return nil
	}
	d, err := runs.Open(runs.Disk(), s.Settings.Output.Reports, i.ID)
	if err != nil {
		return err
	}
	j, err := d.OpenAnyJournal()
	if err != nil {
		return err
	}
	defer j.Close()
	if v.Account.Real() {
		v.Account.Who = whom(j)
	}
	if more == nil {
		return nil
	}
	return more(v, i, d, j)
}

// whom names a customer of a run's account, as the run has found it: by that people tell one
// account from another, and it costs no request.
func whom(j *runs.Journal) string {
	const enough = 1000 // rows that are looked at
	for n := range min(j.Head.Rows, enough) {
		if o, err := j.Outcome(n); err == nil && o.ID != "" && o.Customer != "" {
			return "where id=" + o.ID + " is " + batch.Visible(o.Customer)
		}
	}
	return ""
}

func isDry(i job.Listed) bool { return i.Head.Mode == journal.ModeDryRun || i.Head.Dry }

// stepsOfRun lead back from a run to its draft and its preview.
func (s runPages) stepsOfRun(i job.Listed, at string) []step {
	if i.Head.Mode == journal.ModeUndo {
		return nil
	}
	hrefs := map[string]string{"New": "/new"}
	if i.Head.Mode == journal.ModeApply {
		hrefs["Preview"] = "/runs/" + i.Head.Of
	}
	if id := s.draftOf(i.Head.Path); id != "" {
		hrefs["Columns"] = "/drafts/" + id
	}
	return stepsOf(at, hrefs)
}

// preparePreview adds what is decided by.
func (s runPages) preparePreview(v *runView, i job.Listed, _ *runs.Dir, j *runs.Journal) error {
	p, err := job.PreviewOf(j, nil)
	if err != nil {
		return err
	}
	c := i.Counts
	v.Would, v.Applied, v.Verb, v.Noun = c[batch.WouldChange], i.By, "send", "row"
	v.LeftOut = leftOut(c)
	v.Undoable = slices.Contains(i.Head.Systems, action.SystemFusebill) && p.Patches == 0
	v.follow(i, p, 1)
	if slices.Contains(i.Head.Systems, action.SystemFusebill) {
		reserve, _ := s.Settings.Pace.Reserve.MarshalText() // it has no error
		v.Reserve = string(reserve)
	}
	if age := time.Since(i.Head.Started); age > 24*time.Hour {
		v.Old = batch.Span(age)
	}
	v.SendHeading, v.SendButton = "Send", "Send {n} rows"
	switch {
	case p.Holds > 0:
		v.Verb, v.Noun, v.SendHeading, v.SendButton = "hold", "customer", "Put on hold", "Put {n} customers on hold"
		v.Typed = "A hold suspends every subscription of a customer. It is not taken back by itself: coming back may bill the missed " +
			"periods."
	case p.Unholds > 0:
		v.Verb, v.Noun, v.SendHeading, v.SendButton = "take off hold", "customer", "Take off hold", "Take {n} customers off hold"
		v.Typed = "They come off hold with " + job.UnholdOf(i.Head) + ", which says what coming back bills them."
	case i.Head.Mode == journal.ModeUndo:
		v.Verb, v.SendHeading, v.SendButton = "put back", "Put back", "Put back {n} rows"
	}
	v.SendText = strings.ReplaceAll(v.SendButton, "{n}", batch.Thousands(v.Would))
	if v.Would == 1 {
		v.SendText = strings.NewReplacer("1 rows", "1 row", "1 customers", "1 customer").Replace(v.SendText)
	}
	return nil
}

// follow adds what follows from the rows that are left of a preview, a share of them all.
func (v *runView) follow(i job.Listed, p *job.Preview, share float64) {
	for _, line := range ui.FieldLines(p) {
		name, text, _ := strings.Cut(line, " in ")
		v.Fields = append(v.Fields, page.Fact{Name: name, Text: text})
	}
	for _, text := range ui.Warnings(p) {
		name := strings.TrimRight(strings.Fields(text)[0], ",:")
		if p.Field(name) == nil {
			name = ""
		}
		v.Attention = append(v.Attention, remark{text, name})
	}
	v.Stakes = p.Stakes.Table(p.Holds + p.Unholds)
	if i.End != nil && i.End.Forecast != nil {
		v.Forecast = ui.ForecastText(job.ForecastAgain(*i.End.Forecast, share, time.Now()))
	}
}

// follows shows what follows from the rows that are left once some are struck out.
func (s runPages) follows(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	front := newWatch(s.ctx, agreement{})
	left, err := job.Choose(s.job(front, s.accountOf(i.Info), func(set *job.Settings) {
		set.Selection.Except = r.PostFormValue("except")
	}), front.control, i.ID)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	v, would := &runView{}, i.Counts[batch.WouldChange]
	v.follow(i, left.Preview, float64(would-len(left.LeftOut))/float64(max(1, would)))
	s.show(w, http.StatusOK, "follows", v)
}

func leftOut(c map[batch.Kind]int) string {
	var parts []string
	for _, kind := range batch.Kinds() {
		if n := c[kind]; n > 0 && kind != batch.WouldChange {
			parts = append(parts, batch.Thousands(n)+" "+strings.ReplaceAll(string(kind), "_", " "))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// prepareResult adds what a run has left, and what can be done now.
func (s runPages) prepareResult(v *runView, i job.Listed, d *runs.Dir, j *runs.Journal) error {
	sum, err := page.SummaryOf(d, j)
	if err != nil {
		return err
	}
	v.Causes = sum.Errors
	for _, f := range sum.Fields {
		v.Fields = append(v.Fields, page.Fact{Name: f.Name})
	}
	if len(sum.Minutes) > 0 {
		v.Minutes = inJSON(sum.Minutes)
	}
	if e := i.End; e != nil {
		v.Took = batch.Span(time.Duration(e.Seconds * float64(time.Second)))
		v.RequestsText = fmt.Sprintf("%s: %s, %s", batch.Plural(e.Reads+e.Writes, "request"), batch.Plural(e.Reads, "read"),
			batch.Plural(e.Writes, "write"))
		v.Facts = append(v.Facts, page.Fact{Name: "Requests", Text: batch.Thousands(e.Reads + e.Writes)})
	}
	open := i.Counts[batch.NotAttempted] + i.Counts[batch.InDoubt]
	v.CanResume = i.State == job.Stopped
	v.ResumeText = batch.Plural(open, "row") + " left."
	v.CanRetry = !v.CanResume && !isDry(i) && i.Counts[batch.Failed]+i.Counts[batch.Conflict] > 0
	v.CanUndo, v.Undone = i.CanUndo(), i.State == job.Undone
	if v.MayStay = i.Head.Action == intake.Mixed; v.MayStay || i.Head.Action == "hold" {
		v.Unhold = client.ServiceStartOptions()
	}
	v.Files = filesOf(d, i.Counts)
	return nil
}

// fixes tells what to do about each error code.
func fixes() map[string]string {
	all := map[string]string{}
	for _, c := range batch.Codes() {
		all[c.Name] = c.Fix
	}
	return all
}

// number is a count that a form gives; 0 for what is none.
func number(text string) int {
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
