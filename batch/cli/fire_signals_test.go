package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stopped starts the program, sends it a signal as the n-th write arrives, and looks
// through what it has printed and at what other users of the machine see of it.
func (s *safe) stopped(t *testing.T, signal os.Signal, writes, code int, args ...string) {
	t.Helper()
	c := s.program(args...)
	var out, messages bytes.Buffer
	c.Stdout, c.Stderr = &out, &messages
	c.Env = append(c.Env, "GOTRACEBACK=all")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line := make(chan string, 1)
	s.server.at(writes, func() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Process.Pid)) // there is none but on Linux
		line <- strings.ReplaceAll(string(text), "\x00", " ")
		_ = c.Process.Signal(signal) // else the exit status tells
	})
	err := c.Wait()
	if got := exitCode(t, c, err); got != code {
		t.Errorf("exit status %d, not %d\n%s", got, code, messages.String())
	}
	if seen := <-line; runtime.GOOS == "linux" && !strings.HasPrefix(seen, "rowbatch "+args[0]) {
		t.Errorf("the command line is %q", seen)
	} else if found := s.findIn("the command line", seen); found != nil {
		t.Error(found)
	}
	s.look(t, strings.Join(args, " "), out.String(), messages.String())
	if signal == syscall.SIGQUIT && !strings.Contains(messages.String(), "goroutine") {
		t.Errorf("this is no trace of a crash: %s", messages.String())
	}
}

// TestStoppedRunsKeepNoSecret stops runs with passwords in every way, and goes on with them.
func TestStoppedRunsKeepNoSecret(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send these signals")
	}
	commands := map[string][]string{
		"patch": {"patch", "edits.csv", "--rate", "1000/s"},
		"run":   {"run", "edits.csv", "--rate", "trackfinity=1000/s"},
		"apply": {"apply", "last", "--rate", "trackfinity=1000/s"},
	}
	for name, args := range commands {
		for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGKILL: -1, syscall.SIGQUIT: 2} {
			t.Run(name+", "+signal.String(), func(t *testing.T) {
				t.Parallel()
				s := newSafe(t, true, "patch:lost:rate=20%:seed=7", "patch:500-after:at=5")
				heading, start := []string{"customer_id", "password"}, []string{}
				if name == "run" {
					heading, start = append([]string{"action"}, heading...), []string{"patch"}
				}
				rows := [][]string{heading}
				for n, p := range nastyPasswords() {
					rows = append(rows, append(append([]string{}, start...), strconv.Itoa(4001+n), p))
				}
				s.giveRows(t, "edits.csv", rows...)
				s.flags = []string{"--verbose", "--timeout", "100ms"}
				if name == "apply" {
					s.run(t, 0, "patch", "edits.csv", "--dry-run")
				}
				s.stopped(t, signal, 8, code, args...)
				s.search(t, s.dir)
				s.server.weather(t)
				s.run(t, 0, "resume", "last", "--rate", "trackfinity=1000/s")
				s.masked(t, "password")
				s.search(t, s.dir)
				if got := s.arrived(t); got < len(nastyPasswords()) {
					t.Errorf("%d passwords have arrived: %q", got, s.reported(t, "rb_outcome"))
				}
			})
		}
	}
}

// TestLostInputKeepsItsSecrets: without the file nobody knows the passwords, and no other text is sent in their place.
func TestLostInputKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send these signals")
	}
	s := newSafe(t, true)
	s.secrets = append(s.secrets, aPassword)
	s.giveRows(t, "edits.csv", []string{"customer_id", "password"}, []string{"4001", aPassword + "1"}, []string{"4002", aPassword + "2"}, []string{"4003", aPassword + "3"})
	s.flags = []string{"--verbose"}
	s.run(t, 0, "patch", "edits.csv", "--dry-run")
	s.stopped(t, syscall.SIGINT, 2, 130, "patch", "edits.csv")
	if err := os.Rename(s.path("edits.csv"), s.path("elsewhere.csv")); err != nil {
		t.Fatal(err)
	}
	s.own = append(s.own, "elsewhere.csv")
	s.run(t, 14, "resume", "last")
	s.run(t, 14, "apply", "last")
	s.give(t, "edits.csv", "customer_id,password\n4001,***\n4002,***\n4003,***\n")
	s.run(t, 14, "resume", "last")
	s.run(t, 14, "apply", "last")
	if effects, writes, _ := s.server.seen(); len(effects) != 2 || writes != 2 {
		t.Errorf("%d writes to %d customers", writes, len(effects))
	}
	s.search(t, s.dir)
}

// TestBadSettingsAreNotQuoted: keys and addresses that cannot be used are not shown either.
func TestBadSettingsAreNotQuoted(t *testing.T) {
	t.Parallel()
	fusebill, trackfinity := []string{"update", "edits.csv"}, []string{"patch", "patches.csv"}
	for name, c := range map[string]struct {
		setting string
		args    []string
		code    int
	}{
		"a key with its scheme":     {"FUSEBILL_API_KEY=Basic " + aPassword, fusebill, 13},
		"a key in quotes":           {`FUSEBILL_API_KEY=" ` + aPassword + ` "`, fusebill, 13},
		"a key with an accent":      {"FUSEBILL_API_KEY=" + aPassword + "é", fusebill, 13},
		"a key of two lines":        {"FUSEBILL_API_KEY=x\n" + aPassword, fusebill, 13},
		"a key of another form":     {"FUSEBILL_API_KEY=" + aPassword, fusebill, 13},
		"a user in the address":     {"FUSEBILL_URL=http://admin:" + aPassword + "@127.0.0.1:1/v1", fusebill, 10},
		"a query in the address":    {"FUSEBILL_URL=http://127.0.0.1:1/v1?key=" + aPassword, fusebill, 10},
		"no address":                {"FUSEBILL_URL=http://admin:" + aPassword + "%zz@[::1", fusebill, 10},
		"another scheme":            {"FUSEBILL_URL=ftp://admin:" + aPassword + "@127.0.0.1/", fusebill, 10},
		"no scheme":                 {"FUSEBILL_URL=admin:" + aPassword + "@127.0.0.1/v1", fusebill, 10},
		"a Trackfinity key":         {"TRACKFINITY_API_KEY=x " + aPassword, trackfinity, 13},
		"a Trackfinity key, line":   {"TRACKFINITY_API_KEY=x\r\nx: " + aPassword, trackfinity, 13},
		"a user name of two lines":  {"TRACKFINITY_API_USERNAME=x\n" + aPassword, trackfinity, 13},
		"a user in the other":       {"TRACKFINITY_URL=https://admin:" + aPassword + "@127.0.0.1:1/api", trackfinity, 10},
		"a fragment in the address": {"TRACKFINITY_URL=https://127.0.0.1:1/api#" + aPassword, trackfinity, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSafe(t, true)
			s.secrets = append(s.secrets, aPassword)
			s.giveRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
			s.giveRows(t, "patches.csv", []string{"customer_id", "city"}, []string{"4001", "Elmby"})
			p := s.program(append(c.args, "--verbose", "--dry-run")...)
			s.tryWith(t, p, c.setting, c.code)
			p = s.program(append(c.args, "--verbose", "--yes")...)
			s.tryWith(t, p, c.setting, c.code)
			s.search(t, s.dir)
		})
	}
}

// tryWith runs a program with one more setting.
func (s *safe) tryWith(t *testing.T, p *exec.Cmd, setting string, code int) {
	t.Helper()
	p.Env = append(p.Env, setting)
	out, err := p.CombinedOutput()
	if got := exitCode(t, p, err); got != code {
		t.Errorf("exit status %d, not %d: %s", got, code, out)
	}
	s.look(t, strings.Join(p.Args, " "), string(out), "")
}
