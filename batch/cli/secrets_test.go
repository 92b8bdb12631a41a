package cli_test

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

func decoded(t *testing.T, key string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNoSecretIsKeptOrShown takes files with passwords through all commands, with
// everything shown that there is to show.
func TestNoSecretIsKeptOrShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, format string }{{"embedded", "text"}, {"served", "json"}, {"echoing", "text"}, {"echoing", "json"}} {
		t.Run(c.target+", "+c.format, func(t *testing.T) {
			t.Parallel()
			var faults []string
			if c.target == "echoing" {
				faults = []string{"patch:echo"}
			}
			s := newSafe(t, c.target != "embedded", faults...)
			s.flags = []string{"--verbose", "--log-format", c.format}
			s.files(t)
			s.passwords(t, c.target)
			s.ignored(t, c.target)
			s.mixed(t, c.target)
			s.search(t, s.dir)
		})
	}
}

func (s *safe) files(t *testing.T) {
	t.Helper()
	s.giveRows(t, "passwords.csv", passwordFile()...)
	mixed := [][]string{{"action", "id", "customer_id", "firstName", "hubSpotId", "Password"}}
	ignored := [][]string{{"id", "firstName", "hubSpotId", "PASS_WORD"}}
	for n, p := range nastyPasswords() {
		id := strconv.Itoa(987001 + n)
		mixed = append(mixed, []string{"patch", "", strconv.Itoa(4041 + n), "First", "", p}, []string{"update", id, "", "Mixed", "", ""})
		if n < 3 {
			mixed = append(mixed, []string{[]string{"update", "hold", "latch"}[n], id, "", "", "", p}) // not theirs
		}
		ignored = append(ignored, []string{id, "Ignored", strconv.Itoa(301 + n), p})
	}
	mixed = append(mixed, []string{"delete", "987001", "", "", "", nastyPasswords()[1]})
	s.giveRows(t, "mixed.csv", mixed...)
	s.giveRows(t, "ignored.csv", ignored...)
}

// at adds the flags that a command needs for its target.
func (s *safe) at(target string, args ...string) []string {
	if target == "embedded" {
		args = append(args, "--sandbox")
	}
	if args[0] == "patch" || args[0] == "run" {
		args = append(args, "--rate", map[string]string{"patch": "1000/s", "run": "trackfinity=1000/s"}[args[0]])
	}
	return append(args, "--max-failures", "1000")
}

// passwords has a plan made, applied, and the file sent once more with what failed.
func (s *safe) passwords(t *testing.T, target string) {
	t.Helper()
	s.run(t, 3, s.at(target, "patch", "passwords.csv", "--dry-run")...)
	s.masked(t, "Pass Word")
	s.run(t, 3, "apply", "last", "--rate", "trackfinity=1000/s", "--max-failures", "1000")
	s.masked(t, "Pass Word")
	want := len(nastyPasswords())
	if target == "echoing" { // a refusal
		want = 0
	}
	if got := s.arrived(t); got != want {
		t.Errorf("%d passwords have arrived, not %d", got, want)
	}
	s.run(t, 3, s.at(target, "patch", "passwords.csv")...)
	s.masked(t, "Pass Word")
	texts := strings.Join(s.reported(t, "rb_error"), "\n")
	if target == "echoing" && strings.Count(texts, "refused with 404: (left out: it may repeat a secret)") < 10 {
		t.Errorf("the server's words are not in the report:\n%s", texts)
	}
	codes := s.reported(t, "rb_error_code")
	for _, code := range []string{"masked_value", "not_clearable", "clear_word_case", "spreadsheet_damage", "ragged_row"} {
		if !slices.Contains(codes, code) {
			t.Errorf("no %s among %q", code, codes)
		}
	}
	s.run(t, 3, s.at(target, "patch", s.newest(t)+"/failed.csv")...)
	if !slices.Contains(s.reported(t, "rb_error_code"), "masked_value") {
		t.Error("masked passwords were sent")
	}
	s.run(t, 3, s.at(target, "patch", "passwords.csv", "--json")...)
	s.run(t, 0, "report", "last")
	s.run(t, 0, "runs")
	s.run(t, 0, "runs", "--json")
}

// ignored leaves a column of passwords out in files that have no use for it.
func (s *safe) ignored(t *testing.T, target string) {
	t.Helper()
	for action, other := range map[string][]string{"update": {"hubSpotId"}, "hold": {"firstName", "hubSpotId"}, "latch": {"firstName"}} {
		args := s.at(target, action, "ignored.csv", "--ignore", "PASS_WORD", "--dry-run")
		for _, column := range other {
			args = append(args, "--ignore", column)
		}
		s.run(t, 0, args...)
		s.masked(t, "PASS_WORD")
		s.run(t, 11, s.at(target, action, "ignored.csv")...)
	}
	s.run(t, 0, s.at(target, "update", "ignored.csv", "--ignore", "PASS_WORD", "--ignore", "hubSpotId")...)
	s.masked(t, "PASS_WORD")
}

func (s *safe) mixed(t *testing.T, target string) {
	t.Helper()
	s.run(t, 3, s.at(target, "run", "mixed.csv")...)
	s.masked(t, "Password")
	codes := s.reported(t, "rb_error_code")
	if !slices.Contains(codes, "bad_value") || !slices.Contains(codes, "unknown_action") {
		t.Errorf("codes %q", codes)
	}
}

// TestParrot: however a server repeats a key or a password, nothing of ours does.
func TestParrot(t *testing.T) {
	t.Parallel()
	t.Run("patch", func(t *testing.T) {
		t.Parallel()
		s := newSafe(t, true)
		said, rows := map[string]string{}, [][]string{{"customer_id", "password"}}
		tell := func(password string, forms []string) {
			for _, form := range forms {
				id := strconv.Itoa(len(rows))
				said["tf:"+id] = form
				rows = append(rows, []string{id, password})
			}
		}
		for _, p := range nastyPasswords() {
			tell(p, wordings(p))
		}
		_, trackfinity := nastyKeys()
		tell("no secret here", wordings(trackfinity))
		s.giveRows(t, "edits.csv", rows...)
		p := s.startParrot(t, func(_, customer string) string { return said[customer] }, refusals)
		s.run(t, 3, "patch", "edits.csv", "--rate", "5000/s", "--max-failures", "100000", "--verbose")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || !strings.Contains(strings.Join(s.reported(t, "rb_error"), "\n"), "(left out: it may repeat a secret)") {
			t.Errorf("%d repetitions of %d", p.said.Load(), len(said))
		}
	})
	t.Run("update", func(t *testing.T) {
		t.Parallel()
		s := newSafe(t, true)
		fusebill, _ := nastyKeys()
		var forms []string
		for _, secret := range s.secrets[:2] {
			forms = append(forms, wordings(secret)...)
		}
		forms = append(forms, "Authorization: Basic "+fusebill, "0:"+s.secrets[1])
		said, rows := map[string]string{}, [][]string{{"id", "firstName"}}
		for n, c := range seeded(active) {
			said[c.Get("id").Raw] = forms[n%len(forms)]
			rows = append(rows, []string{c.Get("id").Raw, "Edna"})
		}
		s.giveRows(t, "edits.csv", rows...)
		p := s.startParrot(t, func(kind, customer string) string {
			if kind == "put" {
				return said[customer]
			}
			return ""
		}, func(n int) replyShape { return refusals(n % 4) }) // a web page is no refusal here
		s.run(t, 3, "update", "edits.csv", "--max-failures", "100000", "--verbose", "--log-format", "json")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || len(forms) > len(said) {
			t.Errorf("%d repetitions of %d, for %d forms", p.said.Load(), len(said), len(forms))
		}
	})
}

// TestParrotInTrouble has a server repeat secrets in replies that are no answer, three times of four.
func TestParrotInTrouble(t *testing.T) {
	t.Parallel()
	s := newSafe(t, true)
	rows := [][]string{{"customer_id", "password"}}
	said := map[string]string{}
	for n, p := range nastyPasswords() {
		id := strconv.Itoa(4001 + n)
		rows, said["tf:"+id] = append(rows, []string{id, p}), p
	}
	s.giveRows(t, "edits.csv", rows...)
	var calls atomic.Int64
	p := s.startParrot(t, func(_, customer string) string {
		if calls.Add(1)%4 == 0 {
			return ""
		}
		return said[customer]
	}, troubles)
	_, stderr := s.run(t, 4, "patch", "edits.csv", "--rate", "1000/s", "--timeout", "20ms", "--verbose")
	s.search(t, s.dir)
	if p.said.Load() < 20 || strings.Count(stderr, "(left out: it may repeat a secret)") < 20 {
		t.Errorf("%d repetitions\n%s", p.said.Load(), stderr)
	}
}

// TestParrotDeniesAccess has a server repeat secrets as it ends the run.
func TestParrotDeniesAccess(t *testing.T) {
	t.Parallel()
	body := func(text string) string { return "<html>" + text }
	for name, shape := range map[string]replyShape{
		"401": {401, "WWW-Authenticate", body}, "403": {403, "", body}, "302": {302, "Location", body}, "page": {200, "Content-Type", body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSafe(t, true)
			fusebill, trackfinity := nastyKeys()
			s.giveRows(t, "patches.csv", []string{"customer_id", "password"}, []string{"4001", nastyPasswords()[2]})
			s.giveRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
			p := s.startParrot(t, func(kind, _ string) string {
				switch kind {
				case "ping": // which has heard of no password
					return "api-key: " + trackfinity
				case "patch":
					return "api-key: " + trackfinity + " " + nastyPasswords()[2]
				}
				return "Authorization: Basic " + fusebill + ", which is 0:" + s.secrets[1]
			}, func(int) replyShape { return shape })
			for _, args := range [][]string{{"patch", "patches.csv"}, {"patch", "patches.csv", "--skip-ping"}, {"update", "edits.csv"}, {"hold", "edits.csv", "--ignore", "firstName"}} {
				s.run(t, 13, append(args, "--verbose")...)
			}
			s.search(t, s.dir)
			if p.said.Load() < 4 {
				t.Errorf("%d repetitions", p.said.Load())
			}
		})
	}
}
