package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/client/governor"
	"rowbatch/mapping"
)

// typing is a person who types.
func typing(text string) func() io.ReadCloser {
	return func() io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
}

// Elsewhere than on a terminal a phase is a line every few seconds, and a wait is told once.
func TestALineNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		term, began := &Terminal{Err: &out}, time.Now()
		term.Show(job.PhaseBegan{Name: "sending", Total: 1200})
		for done := range 120 {
			p := job.Progress{Phase: "sending", Done: 10 * done, Total: 1200, Began: began}
			if done >= 60 {
				p.Waiting = job.Waiting{Until: began.Add(time.Hour), Reason: governor.MinuteLimit}
			}
			term.Show(p)
			time.Sleep(100 * time.Millisecond)
		}
		term.Show(job.PhaseEnded{Name: "sending"})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || lines[0] != "rowbatch: sending, 500 of 1,200 rows, 100.0 rows/s, about 7.0 s left" ||
			!strings.HasPrefix(lines[1], "rowbatch: waiting until ") || !strings.HasSuffix(lines[1], ", 1,000 of 1,200 rows, the minute's requests are used up") {
			t.Errorf("%q", lines)
		}
	})
}

// On a terminal the text is what fits, the weightiest first, and tells no speed that is none.
func TestWhatIsShownOfAPhase(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)
	p := job.Progress{Phase: "reading", Done: 18, Total: 3000, Began: now.Add(-20 * time.Second)}
	waits := p
	waits.Waiting = job.Waiting{Until: now.Add(40 * time.Second), Reason: governor.MinuteLimit}
	begun := p
	begun.Done = 0
	resumed := p
	resumed.Done, resumed.Earlier = 118, 100
	foretold := job.Forecast{Forecast: governor.Forecast{Takes: 3 * time.Hour}, Begins: now, Requests: 6000}
	for _, c := range []struct {
		p        job.Progress
		foretold job.Forecast
		columns  int
		want     string
	}{
		{p, job.Forecast{}, 68, "reading, 18 of 3,000 rows, 0.9 rows/s, about 55 min left"},
		{resumed, job.Forecast{}, 68, "reading, 118 of 3,000 rows, 0.9 rows/s, about 53 min left"},
		{p, foretold, 68, "reading, 18 of 3,000 rows, 0.9 rows/s, about 3 h 0 min left"},
		{p, job.Forecast{}, 28, "reading, 18 of 3,000 rows"},
		{begun, foretold, 68, "reading, 0 of 3,000 rows"},
		{waits, foretold, 88, "waiting until 12:00:40, 18 of 3,000 rows, the minute's requests are used up"},
		{waits, foretold, 68, "waiting until 12:00:40, 18 of 3,000 rows"},
		{waits, foretold, 28, "waiting until 12:00:40"},
		{waits, foretold, 8, "waiting "},
		{waits, foretold, -4, ""},
	} {
		term := &Terminal{foretold: c.foretold}
		if got := fitting(term.progressText(c.p, now), c.columns); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestQuietIsNotSilent(t *testing.T) {
	var out bytes.Buffer
	term := &Terminal{Err: &out, Quiet: true}
	term.Show(job.Notice{Text: "a notice"})
	term.Show(job.PhaseBegan{Name: "sending", Total: 2})
	term.Show(job.Trouble{Err: errors.New("one\ntry: two")})
	if got := out.String(); got != "rowbatch: one\n  try: two\n" {
		t.Errorf("%q", got)
	}
}

func TestTheQuestionIsShown(t *testing.T) {
	changes := []batch.Change{{Field: "title", Before: `"Ms"`, After: batch.Null}, {Field: "primaryEmail", Before: `"a@example.com"`, After: `"b@example.com"`}}
	q := job.Question{Text: "Send these changes?", Agrees: "yes", Proposal: &job.Proposal{
		Keys:   []mapping.KeyUse{{Action: "update", Field: "id", Column: "Cust No"}},
		Counts: map[batch.Kind]int{batch.WouldChange: 1200, batch.Unchanged: 3, batch.Rejected: 1, batch.Conflict: 1},
		Preview: &job.Preview{Rows: []job.PreviewRow{{Key: "id=987001", Customer: "Copperleaf Works", Changes: changes}},
			Fields: []*job.FieldCount{{Name: "title", Changed: 2, Cleared: 1}, {Name: "primaryEmail", Changed: 1}}},
		Forecast: job.Forecast{Requests: 2403, Forecast: governor.Forecast{Takes: time.Second, Today: -1}, Begins: time.Now()},
	}, Run: job.Identity{ID: "2026-run", Mode: "apply", Action: "update", File: "edits.csv", Of: "2026-plan", Age: 3 * time.Hour, Hosts: "billing.example.com", KeyEnds: "x9z0"}}
	for typed, want := range map[string]bool{"yes\n": true, "YES\n": true, "y\n": true, "Y\n": true, "n\n": false, "yesterday\n": false, "": false} {
		var out bytes.Buffer
		term := &Terminal{Err: &out, Keyboard: typing(typed)}
		if got := term.Ask(context.Background(), q); got != want {
			t.Errorf("%q: %v", typed, got)
		}
		for _, part := range []string{"Run        2026-run (live), of 2026-plan, 3 h 0 min old\n", "What       apply of 2026-plan (update edits.csv)\n",
			"Account    billing.example.com, by the key that ends in x9z0, where id=987001 is Copperleaf Works\n", `Key        id, from the column "Cust No"`,
			"Rows       1,200 to send, 3 unchanged, 2 rejected\n", "Fields     title in 2 rows, cleared in 1\n           primaryEmail in 1 row\n",
			"Cost       2,403 requests, ", "Attention  primaryEmail, where invoices go, changes for 1 customer\n", "Send these changes? Type yes: "} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%q is missing in:\n%s", part, out.String())
			}
		}
	}
	term := &Terminal{Err: io.Discard, Keyboard: typing("1,240\n")}
	if !term.Ask(context.Background(), job.Question{Text: "This puts 1,240 customers on hold.", Agrees: "1240"}) {
		t.Error("a number as it was shown is not taken for it")
	}
	term = &Terminal{Err: io.Discard, Keyboard: typing("y\n")}
	if term.Ask(context.Background(), job.Question{Text: "This puts 1,240 customers on hold.", Agrees: "1240"}) {
		t.Error("y is taken for a number")
	}
	var out bytes.Buffer
	q.Proposal, q.Run.Dry, term = nil, true, &Terminal{Err: &out, Keyboard: typing("y\n")}
	want := "\nRun        2026-run (dry run), of 2026-plan, 3 h 0 min old\nWhat       apply of 2026-plan (update edits.csv)\n" +
		"Account    billing.example.com, by the key that ends in x9z0\nSend these changes? Type yes: "
	if !term.Ask(context.Background(), q) || out.String() != want {
		t.Errorf("a question about a run as a whole: %q", out.String())
	}
}

// What stands on standard output is a summary, or nothing: what was not put back is no run.
func TestHeldCustomersAreTold(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out, errs bytes.Buffer
		r := &job.Result{Held: []string{"id=1 A"}, Unhold: []string{"rowbatch undo 2026-hold --unhold A", "rowbatch undo 2026-hold --unhold B"}}
		if err := PrintResult(&Terminal{Out: &out, Err: &errs}, r, asJSON); err != nil {
			t.Error(err)
		}
		told := out.String()
		if asJSON {
			told = errs.String()
		}
		if !strings.Contains(told, "  id=1 A\nto take them off hold, one of:\n  rowbatch undo 2026-hold --unhold A\n  rowbatch undo 2026-hold --unhold B\n") || asJSON && out.Len() > 0 {
			t.Errorf("%q, %q", out.String(), errs.String())
		}
	}
}

func TestASignalIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, typed := io.Pipe()
		defer typed.Close()
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Minute, cancel)
		term := &Terminal{Err: io.Discard, Keyboard: func() io.ReadCloser { return keys }}
		if term.Ask(ctx, job.Question{Text: "Really?", Agrees: ""}) {
			t.Error("nobody has agreed")
		}
	})
}
