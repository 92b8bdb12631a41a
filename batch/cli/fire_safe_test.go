package cli_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// safe is a folder with a user's files, and the secrets that must stand nowhere else.
type safe struct {
	trial
	vault
	server *fireServer // nil: the embedded sandbox
	flags  []string    // of every command that sends requests
}

// newSafe has a sandbox of its own; with faults, one in another process.
func newSafe(t *testing.T, served bool, faults ...string) *safe {
	t.Helper()
	s := &safe{trial: trial{dir: t.TempDir()}}
	fusebill, trackfinity := nastyKeys()
	s.secrets = []string{fusebill, strings.TrimPrefix(decoded(t, fusebill), "0:"), trackfinity}
	for _, p := range nastyPasswords() {
		s.secrets = append(s.secrets, strings.TrimSpace(p))
	}
	if served {
		s.server = startFireServer(t, s.path("sandbox"), faults...)
	}
	return s
}

// give writes one of the user's files.
func (s *safe) give(t *testing.T, name, text string) {
	t.Helper()
	s.own = append(s.own, name)
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// giveRows writes a CSV file.
func (s *safe) giveRows(t *testing.T, name string, rows ...[]string) {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	s.give(t, name, b.String())
}

func (s *safe) program(args ...string) *exec.Cmd {
	if !slices.Contains([]string{"report", "runs"}, args[0]) {
		args = append(args, s.flags...)
	}
	c := exec.Command("rowbatch", args...)
	fusebill, trackfinity := nastyKeys()
	c.Dir, c.Env = s.dir, append(environment(), "FUSEBILL_URL=http://127.0.0.1:1/v1", "TRACKFINITY_URL=http://127.0.0.1:1/api", "TRACKFINITY_API_USERNAME=admin")
	if s.server != nil {
		c.Env = s.server.environment()
	}
	c.Env = append(c.Env, "FUSEBILL_API_KEY="+fusebill, "TRACKFINITY_API_KEY="+trackfinity, "ROWBATCH_SANDBOX_DIR="+s.path("sandbox"), "TMPDIR="+s.path("tmp"))
	return c
}

// run runs the program, and looks through what it prints.
func (s *safe) run(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.runWith(t, want, "", args...)
}

func (s *safe) runWith(t *testing.T, want int, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	c := s.program(args...)
	var out, err bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &err
	if code := exitCode(t, c, c.Run()); code != want {
		t.Errorf("%v: exit status %d, not %d\n%s%s", args, code, want, out.String(), err.String())
	}
	s.look(t, strings.Join(args, " "), out.String(), err.String())
	return out.String(), err.String()
}

func (s *safe) look(t *testing.T, what, stdout, stderr string) {
	t.Helper()
	for _, found := range append(s.findIn(what+": stdout", stdout), s.findIn(what+": stderr", stderr)...) {
		t.Error(found)
	}
}

// passwordFile has a row for each password, and rows whose password is none.
// They are damaged, but for a few: more would be an unreadable file.
func passwordFile() (rows [][]string) {
	rows = append(rows, []string{"customer_id", "Pass Word", "city"})
	for n, p := range append(nastyPasswords(), "plain one", "plain two", "plain three") {
		rows = append(rows, []string{strconv.Itoa(4001 + n), p, []string{"", "Harwick"}[n%2]})
	}
	for n, cell := range []string{"***", "REMOVE", " remove ", "#N/A"} {
		rows = append(rows, []string{strconv.Itoa(4101 + n), cell, "Elmby"})
	}
	long := nastyPasswords()
	return append(rows, []string{"4111", long[0], "Elmby", long[1]}, []string{"4112", long[2]})
}

// masked says that the report's column of passwords holds *** and nothing else.
func (s *safe) masked(t *testing.T, column string) {
	t.Helper()
	cells := s.report(t).column(column)
	if !slices.Contains(cells, "***") {
		t.Errorf("no password is masked in the report: %q", cells)
	}
	for _, cell := range cells {
		if cell != "***" && strings.TrimSpace(cell) != "" {
			t.Errorf("the report's password is %q", cell)
		}
	}
}

// reported is a column of the newest run's report.
func (s *safe) reported(t *testing.T, column string) []string {
	t.Helper()
	return s.report(t).column(column)
}

// arrived says which passwords the server has been sent in writes that took effect.
func (s *safe) arrived(t *testing.T) (n int) {
	t.Helper()
	effects, err := readEffects(filepath.Join(s.dir, "sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string]bool{}
	for _, e := range effects {
		marks[rawValue(e.After, "password")] = true
	}
	for _, p := range nastyPasswords() {
		if marks[passwordMark(p)] {
			n++
		}
	}
	return n
}
