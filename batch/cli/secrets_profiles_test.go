package cli_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// keyless is a program that has its keys from profiles, and from nowhere else.
func (s *secretsTrial) keyless(args ...string) *exec.Cmd {
	c := s.program(args...)
	for _, name := range []string{"FUSEBILL_URL", "FUSEBILL_API_KEY", "TRACKFINITY_URL", "TRACKFINITY_API_KEY", "TRACKFINITY_API_USERNAME", "DBUS_SESSION_BUS_ADDRESS"} {
		c.Env = append(c.Env, name+"=")
	}
	c.Env = append(c.Env, "HOME="+s.path("home"), "XDG_CONFIG_HOME="+s.path("config"))
	return c
}

// runKeyless runs such a program, and searches what it prints and its command line.
func (s *secretsTrial) runKeyless(t *testing.T, want int, stdin string, args ...string) string {
	t.Helper()
	c := s.keyless(args...)
	var out, messages bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &messages
	if code := exitCode(t, c, c.Run()); code != want {
		t.Errorf("%v: exit status %d, not %d\n%s%s", args, code, want, out.String(), messages.String())
	}
	s.searchPrinted(t, strings.Join(args, " "), out.String(), messages.String())
	return out.String() + messages.String()
}

// TestProfilesKeepNoSecret takes keys through login, profiles, doctor, runs and the page:
// they stand in the files that hold a key and nothing else, and nowhere besides.
func TestProfilesKeepNoSecret(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has another shell")
	}
	s := newSecretsTrial(t, true)
	fusebill, trackfinity := hardKeys()
	s.own = []string{"kept", "tf.key"}
	s.write(t, "tf.key", trackfinity+"\n")
	s.writeRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
	s.writeRows(t, "patches.csv", []string{"customer_id", "password"}, []string{"4001", hardPasswords()[0]})
	add := func(args ...string) { s.runKeyless(t, 0, "", append([]string{"profile", "add"}, args...)...) }
	add("main", "--url", s.server.url+"/v1", "--word", "PRODUCTION", "--key-file", "kept")
	add("main", "--api", "trackfinity", "--url", s.server.url+"/api", "--username", "admin", "--key-command", "cat tf.key", "--rate", "1000/s")
	add("look", "--url", s.server.url+"/v1", "--key-command", "cat kept", "--read-only")
	add("fails", "--url", s.server.url+"/v1", "--key-command", "cat kept; exit 1")

	s.runKeyless(t, 10, fusebill+"\n", "login", "--profile", "look") // there is no keyring here
	s.runKeyless(t, 0, fusebill+"\n", "login", "--profile", "main", "--api", "fusebill", "--json")
	s.runKeyless(t, 13, trackfinity+" "+trackfinity+"\n", "login", "--profile", "main", "--api", "trackfinity", "--key-file", "refused")
	for _, args := range [][]string{{"profile", "list"}, {"profile", "list", "--json"}, {"profile", "show", "main"}, {"profile", "show", "look", "--json"},
		{"profile", "use", "main"}, {"doctor"}, {"doctor", "--json"}, {"doctor", "--profile", "look"},
		{"export", "--profile", "look", "-o", "out.csv"}, {"update", "edits.csv", "--dry-run", "--verbose"}, {"apply", "last", "--verbose", "--log-format", "json"}, {"undo", "last", "--json"},
		{"patch", "patches.csv", "--verbose"}, {"report", "last", "--html", "--xlsx"}, {"runs", "--json"}} {
		s.runKeyless(t, 0, "", args...)
	}
	s.runKeyless(t, 10, "", "update", "edits.csv", "--profile", "fails")
	s.runKeyless(t, 10, "", "doctor", "--profile", "fails", "--json")
	s.searchPage(t, "ui", "--no-open", "--profile", "main")

	for _, wrong := range []string{
		"profiles: {main: {fusebill: {api_key: '%s'}}}\n", "profiles: {main: {fusebill: {key: '%s'}}}\n", "FUSEBILL_API_KEY: '%s'\n", "'%s': x\n",
		"profiles: {main: {read_only: '%s'}}\n", "profiles: {main: {fusebill: {key_file: '%s'}}}\n", "profiles: {'%s': {sandbox: true}}\n", "use: '%s'\n",
		"profiles: {main: ['%s'\n", "profiles: {main: {fusebill: {url: 'https://x:%s@billing.example.com'}}}\n", "profiles: {main: {fusebill: {rate: '%s'}}}\n",
	} {
		s.write(t, "config/rowbatch/config.yaml", fmt.Sprintf(wrong, strings.ReplaceAll(fusebill, "'", "''")))
		s.runKeyless(t, 10, "", "profile", "list")
		s.runKeyless(t, 10, "", "update", "edits.csv", "--dry-run", "--json")
		s.runKeyless(t, 10, "", "doctor")
	}
	s.search(t, s.dir)
}

// searchPage serves the page, and searches what it shows, and the program's command line.
func (s *secretsTrial) searchPage(t *testing.T, args ...string) {
	t.Helper()
	c := s.keyless(args...)
	var messages bytes.Buffer
	c.Stderr = &messages
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	address = strings.TrimSpace(address)
	at, _, _ := strings.Cut(strings.TrimPrefix(address, "http://"), "/")
	run := s.newest(t)
	for _, page := range []string{address, "http://" + at + "/runs", "http://" + at + "/new", "http://" + at + "/runs/" + run[strings.LastIndex(run, "/")+1:]} {
		reply, err := browser.Get(page)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reply.Body)
		if err != nil || reply.Body.Close() != nil || reply.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d, %v", page, reply.StatusCode, err)
		}
		if page != address && !strings.Contains(string(text), "PRODUCTION") {
			t.Errorf("%s does not name the account:\n%.2000s", page, text)
		}
		s.searchPrinted(t, page, string(text), fmt.Sprint(reply.Header))
	}
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Process.Pid)) // which only Linux has
	s.searchPrinted(t, "the command line", strings.ReplaceAll(string(line), "\x00", " "), "")
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, c, c.Wait()); code != 0 {
		t.Errorf("the page ends with %d: %s", code, messages.String())
	}
	s.searchPrinted(t, "ui", "", messages.String())
}
