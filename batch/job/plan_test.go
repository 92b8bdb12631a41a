package job

import (
	"strings"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/reports"
)

// Which command leads on, from each way in which a run may end.
func TestTheNextCommand(t *testing.T) {
	type kinds = map[batch.Kind]int
	dir, err := runs.Create(runs.Disk(), t.TempDir(), time.Now(), "update", "x.csv")
	if err != nil {
		t.Fatal(err)
	}
	const failed = "failed.csv"
	for name, c := range map[string]struct {
		head   journal.Head
		change func(*Plan)
		end    reports.Summary
		want   string // REPORTS: the folder
	}{
		"all is done":          {end: reports.Summary{Outcomes: kinds{batch.Changed: 3}}},
		"stopped":              {end: reports.Summary{Outcomes: kinds{batch.NotAttempted: 1}, ExitCode: batch.ExitStopped, Files: reports.Files{Failed: failed}}, want: "rowbatch resume RUN --reports REPORTS"},
		"in doubt":             {end: reports.Summary{Outcomes: kinds{batch.InDoubt: 1}, ExitCode: batch.ExitDoubt, Files: reports.Files{Failed: failed}}, want: "rowbatch resume RUN --reports REPORTS"},
		"nobody wanted it":     {end: reports.Summary{Outcomes: kinds{batch.NotAttempted: 1}, ExitCode: batch.ExitUsage, Files: reports.Files{Failed: failed}}},
		"a plan":               {head: journal.Head{Mode: journal.ModeDryRun}, end: reports.Summary{Outcomes: kinds{batch.WouldChange: 1}, Files: reports.Files{Failed: failed}}, want: "rowbatch apply RUN --reports REPORTS"},
		"a plan of nothing":    {head: journal.Head{Mode: journal.ModeDryRun}, end: reports.Summary{Outcomes: kinds{batch.Unchanged: 1}}},
		"a plan of an undo":    {head: journal.Head{Mode: journal.ModeUndo, Dry: true, Parent: journal.Parent{Of: "OLD"}}, change: func(p *Plan) { p.Settings.Sending.Unhold = "x" }, end: reports.Summary{Outcomes: kinds{batch.WouldChange: 1}}, want: "rowbatch undo OLD --reports REPORTS --unhold x"},
		"others were there":    {head: journal.Head{Mode: journal.ModeUndo, Parent: journal.Parent{Of: "OLD"}}, end: reports.Summary{Outcomes: kinds{batch.Conflict: 1}}, want: "rowbatch undo OLD --reports REPORTS --keep-theirs"},
		"theirs were kept":     {head: journal.Head{Mode: journal.ModeUndo, Parent: journal.Parent{Of: "OLD"}}, change: func(p *Plan) { p.Settings.Sending.KeepTheirs = true }, end: reports.Summary{Outcomes: kinds{batch.Conflict: 1}, Files: reports.Files{Failed: failed}}},
		"an undo that failed":  {head: journal.Head{Mode: journal.ModeUndo}, end: reports.Summary{Outcomes: kinds{batch.Failed: 1}, Files: reports.Files{Failed: failed}}, want: "rowbatch resume RUN --reports REPORTS --failed"},
		"a shard's links":      {change: func(p *Plan) { p.Settings.Selection.Shard = intake.Shard{Shard: runs.Shard{Number: 1, Of: 2}} }, end: reports.Summary{Outcomes: kinds{batch.Failed: 1}, Files: reports.Files{Failed: failed}, Errors: []reports.ErrorCount{{Code: "already_linked"}}}, want: "rowbatch resume RUN --reports REPORTS --failed"},
		"rows failed":          {end: reports.Summary{Outcomes: kinds{batch.Failed: 1}, Files: reports.Files{Failed: failed}}, want: "rowbatch update failed.csv --map m.yaml --ignore Note --when 'status == \"x\"' --rate 5/s --reports here"},
		"rows of a plan":       {head: journal.Head{Mode: journal.ModeDryRun}, end: reports.Summary{Outcomes: kinds{batch.Rejected: 1}, Files: reports.Files{Failed: failed}}, want: "rowbatch update failed.csv --map m.yaml --ignore Note --when 'status == \"x\"' --reports REPORTS"},
		"rows of a resumption": {change: func(p *Plan) { p.Past = &journal.Index{} }, end: reports.Summary{Outcomes: kinds{batch.Rejected: 1}, Files: reports.Files{Failed: failed}}, want: "rowbatch update failed.csv --map m.yaml --ignore Note --when 'status == \"x\"' --reports REPORTS"},
	} {
		s := parsed(t, "--map", "m.yaml", "--ignore", "Note", "--when", `status == "x"`, "--rate", "5/s", "--reports", "here", "--limit", "9",
			"--encoding", "windows-1252", "--expect", "3", "--dry-run", "--yes", "--json")
		p := &Plan{Head: c.head, Settings: s, Dir: dir}
		p.Head.ID, p.Head.Action = "RUN", "update"
		if p.Head.Mode == "" {
			p.Head.Mode = journal.ModeRun
		}
		if c.change != nil {
			c.change(p)
		}
		got := strings.ReplaceAll(p.next(c.end), QuoteWord(strings.TrimSuffix(dir.Path(), "/"+dir.ID())), "REPORTS")
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The lock of an account is the server's and the key's, however the address is written.
func TestTheLockOfAnAccount(t *testing.T) {
	for want, same := range map[string][]string{
		"secure.example.com#5f2a": {"https://secure.example.com/v1#5f2a", "https://Secure.Example.com:0443//v1#5f2a", "https://secure.example.com/%76%31/x#5f2a"},
		"localhost:8642#5f2a":     {"http://127.0.0.1:8642/v1#5f2a", "http://[::1]:8642/api#5f2a", "http://LOCALHOST:08642#5f2a", "http://127.8.8.8:8642/v1#5f2a"},
		"secure.example.com#77":   {"https://secure.example.com/v1#77"},
		"sandbox:/tmp/a":          {"sandbox:/tmp/a"},
	} {
		for _, name := range same {
			if got := lockName(name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

// A run goes on with the account that it was of, however its address was written then.
func TestAnAccountIsKnownByAnySpelling(t *testing.T) {
	now := &Accounts{all: []account{{Endpoint: Endpoint{URL: "http://localhost", Name: "https://secure.example.com/v1#5f2a"}, client: &client.Account{}}}}
	for then, same := range map[string]bool{
		"https://secure.example.com/v1#5f2a":                            true,
		"https://Secure.example.com:443/V1#5f2a":                        true,
		"https://secure.example.com//%76%31/#5f2a":                      true,
		"https://x.example.com/a#1, https://SECURE.example.com/v1#5f2a": true,
		"https://secure.example.com/v2#5f2a":                            false,
		"https://secure.example.com:8443/v1#5f2a":                       false,
		"https://elsewhere.example.com/v1#5f2a":                         false,
	} {
		if err := now.mustBe(nil, journal.Head{Target: journal.Target{Account: then}}, nil); (err == nil) != same {
			t.Errorf("%s: %v", then, err)
		}
	}
}

// One account that may be real makes the run a real one; what no server has said yet is not known.
func TestWhatHarmsNobody(t *testing.T) {
	embedded := account{Endpoint: Endpoint{Name: StandIn, URL: "http://localhost/v1"}}
	silent := account{Endpoint: Endpoint{Name: "a#1", URL: "http://127.0.0.1:8642/v1"}, client: &client.Account{}}
	remote := account{Endpoint: Endpoint{Name: "b#1", URL: "https://billing.example.com/v1"}, client: &client.Account{}}
	for _, c := range []struct {
		name    string
		systems []account
		want    trial
	}{
		{"embedded", []account{embedded}, isTrial}, {"on this machine", []account{silent}, maybeTrial},
		{"elsewhere", []account{remote}, isReal}, {"both stand-ins", []account{embedded, silent}, maybeTrial},
		{"a stand-in and elsewhere", []account{embedded, remote}, isReal}, {"elsewhere and this machine", []account{silent, remote}, isReal},
	} {
		if got := (&Accounts{all: c.systems}).trial(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
