package checker_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/checker"
	"rowbatch/batch/journal"
)

func TestReportsAreHeldAgainstTheJournal(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		edit func(lines []string) []string
		want []string
	}{
		"a row is missing":     {"report.csv", func(l []string) []string { return append(l[:3], l[4:]...) }, []string{"1: report.csv has 8 rows, and there are 9"}},
		"a row stands twice":   {"report.csv", func(l []string) []string { return append(l[:9], l[8], l[9]) }, []string{"1: report.csv has 10 rows, and there are 9"}},
		"one row for another":  {"report.csv", func(l []string) []string { l[2] = l[1]; return l }, []string{`1: report.csv, row 2: rb_line is "2", not "3"`, "1: report.csv, row 2: the input's cells are"}},
		"another outcome":      {"report.csv", replaced(1, "changed", "unchanged"), []string{`1: report.csv, row 1: rb_outcome is "unchanged", not "changed"`}},
		"another cell":         {"report.csv", replaced(1, "'=1+1", "2"), []string{"1: report.csv, row 1: the input's cells are"}},
		"a failed row lost":    {"failed.csv", func(l []string) []string { return l[:2] }, []string{"1: failed.csv has 1 rows, and there are 3"}},
		"no failed rows":       {"failed.csv", nil, []string{"1: failed.csv has 0 rows, and there are 3"}},
		"no report":            {"report.csv", nil, []string{"1: there is no report.csv"}},
		"no summary":           {"summary.json", nil, []string{"1: there is no summary.json"}},
		"a row not counted":    {"summary.json", replaced(-1, `"in_doubt": 1`, `"in_doubt": 0`), []string{"1: summary.json counts 0 rows in_doubt, and there are 1", "1: summary.json counts 8 outcomes of 9 rows"}},
		"the input's row gone": {"summary.json", replaced(-1, `"rows": 9`, `"rows": 8`), []string{"1: summary.json counts 9 outcomes of 8 rows"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			r := report(t, s.run(t))
			path := r.Dir.Path(c.file)
			text, err := os.ReadFile(path)
			must(t, err)
			if c.edit == nil {
				must(t, os.Remove(path))
			} else {
				lines := c.edit(strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n"))
				must(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
			}
			wants(t, breaches(t, checker.Case{Run: r, Ledger: &s.ledger, Reported: true}), c.want...)
		})
	}
}

// replaced changes a text in one line, or wherever it stands first.
func replaced(line int, from, to string) func([]string) []string {
	return func(lines []string) []string {
		for n := range lines {
			if (line < 0 || n == line) && strings.Contains(lines[n], from) {
				lines[n] = strings.Replace(lines[n], from, to, 1)
				break
			}
		}
		return lines
	}
}

// A file of failed rows that should not be there.
func TestNoFailedRows(t *testing.T) {
	s := newScribe(1)
	s.done(0, as(batch.Unchanged, "", "1", 0))
	r := report(t, s.run(t))
	must(t, os.WriteFile(r.Dir.Path("failed.csv"), []byte("\uFEFFrb_line,id\n"), 0o600))
	wants(t, breaches(t, checker.Case{Run: r, Ledger: &s.ledger, Reported: true}), "1: failed.csv is there, and no row needs work")
}

func TestEnded(t *testing.T) {
	s := newScribe(4)
	s.intent(1, "update", "1", customer(), `firstName="Ann">"Bea"`)
	s.done(1, as(inDoubt, "no_answer", "1", 1))
	for range 2 {
		s.intent(2, "hold", "2", `{"status":"Active"}`, `status="Active">"Hold"`)
	}
	s.done(2, as(inDoubt, "no_answer", "2", 2)) // nothing more can be done
	s.done(3, as(batch.Skipped, "", "", 0))
	wants(t, breaches(t, checker.Case{Run: s.run(t), Ledger: &s.ledger, Ended: true}),
		"10: line 2: still not_attempted stopped", "10: line 3: still in_doubt no_answer")
}

func TestAgain(t *testing.T) {
	s := sound()
	before := s.run(t)
	wants(t, checker.Again(before, before, checker.Requests{}))
	s.done(8, as(batch.Unchanged, "", "8", 0))
	wants(t, checker.Again(before, s.run(t), checker.Requests{Total: 1}),
		"10: the run was complete, and its resume made 1 requests", "10: the run was complete, and its resume wrote to the journal")
}

func TestPace(t *testing.T) {
	wants(t, checker.Pace(checker.Requests{Total: 100, Throttled: 1, Repeated: 10}))
	wants(t, checker.Pace(checker.Requests{Total: 100, Throttled: 2, Repeated: 11}), "9: 2 of 100 requests were answered with 429", "9: 11 of 100 requests were repetitions")
	wants(t, checker.Looked(checker.Requests{Total: 5}))
	wants(t, checker.Looked(checker.Requests{Total: 5, Writes: 1}), "13: 1 writes were sent")
}

func TestResumed(t *testing.T) {
	before := sound().run(t)
	later := func(write func(*scribe)) *checker.Run {
		s := sound()
		write(s)
		return s.run(t)
	}
	settled := as(changed, "", "5", 1)
	settled.Requests = 3
	sound := later(func(s *scribe) {
		s.done(5, settled)
		s.renamed(8, "8", "Ann", "Bea")
		s.done(8, as(changed, "", "8", 1))
	})
	wants(t, checker.Resumed(before, sound, map[string]int{"5": 1, "8": 2}, true))
	wants(t, checker.Resumed(before, sound, map[string]int{"5": 1, "8": 2, "1": 1}, true), "12: customer 1 has no open row, and was asked about 1 times")
	wants(t, checker.Resumed(before, later(func(s *scribe) { s.done(0, as(changed, "", "1", 1)) }), nil, true), "12: line 2 was settled (changed), and the journal says more of it")
	wants(t, checker.Resumed(before, later(func(s *scribe) { s.done(5, as(changed, "", "5", 1)) }), nil, true), "7: line 7: in_doubt became changed, and no request was made for it")
	settled.Requests = 5
	costly := later(func(s *scribe) { s.done(5, settled) })
	wants(t, checker.Resumed(before, costly, nil, true), "12: line 7 was in doubt, and its read-back took 3 requests")
	wants(t, checker.Resumed(before, costly, nil, false)) // in a storm reads are repeated
	wants(t, checker.Resumed(sound, before, nil, true), "12: what the journal said before has been changed")
}

func TestSame(t *testing.T) {
	run := func(o batch.Outcome) *checker.Run {
		s := newScribe(1)
		s.done(0, o)
		return s.run(t)
	}
	never := func(int) bool { return false }
	plain := as(changed, "", "1", 1)
	crashed := as(changed, "", "1", 4)
	crashed.Millis, crashed.HTTP = 12, 200
	wants(t, checker.Same(run(crashed), run(plain), never))
	other := as(batch.Unchanged, "", "1", 0)
	wants(t, checker.Same(run(other), run(plain), never), "11: line 2: unchanged")
	wants(t, checker.Same(run(other), run(plain), func(n int) bool { return n == 0 }))
	wants(t, checker.Same(newScribe(2).run(t), run(plain), never), "11: 2 rows, and without crashes 1")
}

func TestUndoneAndApplied(t *testing.T) {
	of := newScribe(2)
	of.renamed(0, "1", "Ann", "Bea")
	of.done(0, as(changed, "", "1", 1))
	run := of.run(t)
	undo := func(row int, found, from, to string) []string {
		s := newScribe(2)
		s.head.Mode = journal.ModeUndo
		s.intent(row, "update", "1", customer("Ann", found), `firstName="Bea">"Ann"`)
		s.effect("put", "1", customer("Ann", from), customer("Ann", to))
		s.done(row, as(inDoubt, "", "1", 1))
		return breaches(t, checker.Case{Run: s.run(t), Of: run, Ledger: &s.ledger})
	}
	wants(t, undo(0, "Bea", "Bea", "Ann"))
	wants(t, undo(0, "Bea", "Eve", "Ann"), `14: line 2: effect 1: firstName had come to be "Eve", which is not the run's "Bea"`)
	wants(t, undo(1, "Bea", "Bea", "Ann"), "14: line 3 was undone, and no write had left for it")

	plan := newScribe(2)
	plan.head.Mode = journal.ModeDryRun
	would := as(batch.WouldChange, "", "1", 0)
	would.Changes = changesOf([]string{`firstName="Ann">"Bea"`})
	plan.done(0, would)
	plan.done(1, as(batch.Unchanged, "", "2", 0))
	planned := plan.run(t)
	apply := func(row int, change string) []string {
		s := newScribe(2)
		s.head.Mode = journal.ModeApply
		s.intent(row, "update", "1", customer(), change)
		return breaches(t, checker.Case{Run: s.run(t), Of: planned, Ledger: &s.ledger})
	}
	wants(t, apply(0, `firstName="Ann">"Bea"`))
	wants(t, apply(0, `firstName="Eve">"Bea"`), `14: line 2: firstName went from "Eve" to "Bea"`)
	wants(t, apply(1, `firstName="Ann">"Bea"`), "14: line 3 was sent, and its plan says unchanged")
}

// Undo puts back the bytes, not only the value.
func TestUndoneInOtherBytes(t *testing.T) {
	of := newScribe(1)
	was := customer(`"Ann"`, `""`)
	of.intent(0, "update", "1", was, `firstName="">"Bea"`)
	of.effect("put", "1", was, customer("Ann", "Bea"))
	of.done(0, as(changed, "", "1", 1))
	s := newScribe(1)
	s.head.Mode = journal.ModeUndo
	s.intent(0, "update", "1", customer("Ann", "Bea"), `firstName="Bea">null`)
	s.effect("put", "1", customer("Ann", "Bea"), customer(`"Ann"`, `null`))
	s.done(0, as(changed, "", "1", 1))
	wants(t, breaches(t, checker.Case{Run: s.run(t), Of: of.run(t), Ledger: &s.ledger}), `14: line 2: effect 1: firstName is null, and was "" before the run`)
}

func TestLeaks(t *testing.T) {
	secret := `p "w<&> é/+%=1`
	for name, text := range map[string]string{
		"raw": secret, "percent": url.QueryEscape(secret), "small percent": strings.ToLower(url.QueryEscape("é<")),
		"JSON": `p \"w<&> é/+%=1`, "JSON for HTML": `p \"w\u003c\u0026\u003e é/+%=1`, "HTML": `p &#34;w&lt;&amp;&gt; é/+%=1`,
		"hex": fmt.Sprintf("%x", secret), "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 in a longer text": base64.URLEncoding.EncodeToString([]byte("k:" + secret + " and more")),
	} {
		secrets := []string{"never", secret}
		if name == "small percent" {
			secrets[1] = "é<"
		}
		wants(t, checker.LeaksIn("log", []byte("x"+text+"y"), secrets), "15: log holds secret 2")
	}
	wants(t, checker.LeaksIn("log", []byte("p *** w"), []string{secret}))
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("key="+secret), 0o600))
	all, err := checker.Leaks(dir, []string{secret})
	must(t, err)
	wants(t, all, "15: "+filepath.Join(dir, "a")+" holds secret 1")
}

func TestReadLedger(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	write("snapshot.jsonl", `{"format":1,"seq":0}`+"\n"+`{"id":7,"a":1}`+"\n")
	first := `{"seq":1,"kind":"put","id":"7","before":{"id":7,"a":1},"after":{"id":7,"a":2}}` + "\n"
	write("effects.jsonl", first+`{"seq":2,"kind":"put","id":"7","before":{"id":7,"a":2},"after":{"id":7,"a":3}}`+"\n"+`{"seq":3,"ki`)
	l, err := checker.ReadLedger(dir)
	must(t, err)
	if len(l.Effects) != 2 || l.Last() != 2 || len(l.After(1).Effects) != 1 || l.After(2).Last() != 0 {
		t.Errorf("%+v", l)
	}
	for name, text := range map[string]string{
		"a write that nobody recorded": first + `{"seq":2,"kind":"put","id":"7","before":{"id":7,"a":9},"after":{"id":7,"a":3}}` + "\n",
		"not as it was born":           `{"seq":1,"kind":"put","id":"7","before":{"id":7,"a":9},"after":{"id":7,"a":3}}` + "\n",
		"a number left out":            first + `{"seq":3,"kind":"put","id":"7","before":{"id":7,"a":2},"after":{"id":7,"a":3}}` + "\n",
		"no JSON":                      "x\n",
	} {
		write("effects.jsonl", text)
		if _, err := checker.ReadLedger(dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A run whose files do not fit one another cannot be checked.
func TestReadRefusesWhatDoesNotFit(t *testing.T) {
	r := sound().run(t)
	journal, err := os.ReadFile(r.Dir.Path("journal"))
	must(t, err)
	rows, err := os.ReadFile(r.Dir.Path("rows.csv"))
	must(t, err)
	flipped := bytes.Clone(journal)
	flipped[len(flipped)/3] ^= 1
	for name, files := range map[string][2][]byte{
		"damaged":      {flipped, rows},
		"a row less":   {journal, rows[:bytes.LastIndexByte(rows[:len(rows)-1], '\n')+1]},
		"no first one": {nil, rows},
	} {
		must(t, errors.Join(os.WriteFile(r.Dir.Path("journal"), files[0], 0o600), os.WriteFile(r.Dir.Path("rows.csv"), files[1], 0o600)))
		if _, err := checker.Read(r.Dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
