package reports

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

// Summary is what summary.json holds.
type Summary struct {
	Origin
	Ended         time.Time          `json:"ended,omitzero"` // of the process that worked on it last, where that could still say so
	Rows          int                `json:"rows"`
	Outcomes      map[batch.Kind]int `json:"outcomes"` // rows of each outcome that occurs
	Requests      Requests           `json:"requests"`
	Seconds       float64            `json:"seconds"`            // of all its processes, without the time between them
	WaitedSeconds float64            `json:"waited_seconds"`     // for limits, and for a server that did not answer
	Waited        map[string]float64 `json:"waited"`             // the same by reason: minute_limit, day_limit, server_pause, outage
	Forecast      *journal.Forecast  `json:"forecast,omitempty"` // of a dry run, and of a run that has asked
	Errors        []ErrorCount       `json:"errors"`             // the most frequent first
	Warnings      int                `json:"warnings"`           // all that rb_warning tells
	Files         `json:"reports"`
	Held          bool   `json:"-"`               // it has put customers on hold
	Error         string `json:"error,omitempty"` // why the run did not come to its end
	ExitCode      int    `json:"exit_code"`
}

// Origin is what a run is.
type Origin struct {
	RunID   string `json:"run_id"`
	Action  string `json:"action"`
	Mode    string `json:"mode"`
	DryRun  bool   `json:"dry_run"`          // nothing is written to the API
	Parent  string `json:"parent,omitempty"` // the run that it carries out or takes back
	File    string `json:"file"`
	Account string `json:"account"`
	Host    string `json:"host"`
	journal.Label
	Started time.Time `json:"started"`
}

// OriginOf is what a journal's head tells of its run.
func OriginOf(h journal.Head) Origin {
	var hosts []string
	for name := range strings.SplitSeq(h.Account, ", ") {
		host, _, _ := strings.Cut(name, "#")
		if u, err := url.Parse(host); err == nil && u.Host != "" {
			host = u.Host
		}
		hosts = append(hosts, host)
	}
	return Origin{RunID: h.ID, Action: h.Action, Mode: h.Mode,
		DryRun: h.IsDry() || h.Mode == journal.ModeExport, Parent: h.Of, File: h.File, Account: h.Account,
		Host: strings.Join(slices.Compact(hosts), ", "), Label: h.Label, Started: h.Started}
}

// Files are the paths of the report files as written; "" of one that there is not.
type Files struct {
	Report string `json:"report,omitempty"`
	Failed string `json:"failed,omitempty"` // rows to run again
	// The same as workbooks.
	ReportXLSX string `json:"report_xlsx,omitempty"`
	FailedXLSX string `json:"failed_xlsx,omitempty"`
	// To be looked at in a browser.
	ReportHTML string `json:"report_html,omitempty"`
	// Left are files of an earlier state that stay, since somebody changed them or holds them open.
	Left []string `json:"left,omitempty"`
}

// leave notes the file of a name in whose place another was written.
func (f *Files) leave(d *runs.Dir, name, written string) {
	if path := d.Path(name); written != "" && written != path {
		f.Left = append(f.Left, path)
	}
}

// Requests counts what was sent to the API. Of a run that was killed, only those
// made for a row whose outcome is recorded are known.
type Requests struct {
	Read  int `json:"read"`
	Write int `json:"write"`
	Total int `json:"total"`
}

// ErrorCount says how often one error code occurs, and where.
type ErrorCount struct {
	Code  string `json:"code"`
	Count int    `json:"count"`
	Fix   string `json:"fix"`
	Lines []int  `json:"lines"` // of the input; the first 10
	Text  string `json:"-"`     // what the first of them says
}

// tally gathers a summary row by row.
type tally struct {
	Summary
	rows page.Tally
}

// add counts one row, and returns what to do about its error.
func (t *tally) add(line int, o batch.Outcome) (fix string) {
	t.Outcomes[o.Kind]++
	t.Requests.Write += o.Sends
	t.Requests.Total += o.Requests
	t.Warnings += len(o.Warnings)
	t.rows.Add(line, o)
	if o.Code == "" {
		return ""
	}
	return batch.Fix(o.Code)
}

// summary ends the count. What the run itself recorded at its end beats what its
// rows add up to: it also knows of requests that were for no row.
func (t *tally) summary(j *runs.Journal) Summary {
	s := t.Summary
	s.Errors = []ErrorCount{}
	for _, e := range t.rows.Summary().Errors {
		s.Errors = append(s.Errors, ErrorCount{e.Code, e.Count, e.Fix, e.Lines, e.Text})
	}
	s.Requests.Read = max(0, s.Requests.Total-s.Requests.Write)
	s.Seconds = j.Worked()
	s.ExitCode = batch.ExitOf(s.Outcomes)
	if end := j.End; end != nil {
		s.Requests = Requests{Read: end.Reads, Write: end.Writes, Total: end.Reads + end.Writes}
		s.Seconds, s.WaitedSeconds, s.ExitCode = end.Seconds, end.Waited, end.Exit
		s.Forecast, s.Ended, s.Error = end.Forecast, end.At, end.Cause
		maps.Copy(s.Waited, end.WaitedFor)
	}
	return s
}

// Write puts summary.json into a run's folder.
func (s Summary) Write(d *runs.Dir) error {
	draft, err := d.Draft("summary.json")
	if err != nil {
		return err
	}
	defer draft.Drop()
	if _, err := draft.Write(s.JSON()); err != nil {
		return err
	}
	_, err = draft.Keep()
	return err
}

// JSON returns the summary as summary.json and --json show it: indented, with a
// newline behind.
func (s Summary) JSON() []byte { return batch.JSON(s, "  ") }
