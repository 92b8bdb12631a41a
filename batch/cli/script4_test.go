package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/sjson"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// What scripts say of runs that stop, are carried out, and taken back:
//
//	restart FLAG…                 serve the stand-in anew at the address that it has had: a run is bound to it
//	edit ID FIELD VALUE           somebody else changes a customer through the API, to a text, null or an {object}
//	latest MODE                   $RUN and $ID are the newest run of this mode: run, dry-run, apply or undo
//	age RUN HOURS                 a run began so many hours earlier than it did
//	replace FILE OLD NEW          a text in a file, wherever it stands, becomes another
//	start N PATTERN PROGRAM ARG…  run a program beside the script, with --verbose, and go on when N lines of its messages match
//	signal NAME                   send that program INT, TERM or KILL
//	ends CODE                     wait for its end with this status, or killed; stdout and stderr then see what it said

// cmdRestart: the flags come after startSandbox's own, and so decide.
func cmdRestart(ts *testscript.TestScript, neg bool, args []string) {
	at, err := url.Parse(ts.Getenv("FUSEBILL_URL"))
	ts.Check(err)
	cmdSandbox(ts, neg, append([]string{"--addr", at.Host}, args...))
}

func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "edit ID FIELD VALUE")
	raw := args[2]
	if raw != "null" && !strings.HasPrefix(raw, "{") {
		raw = strconv.Quote(raw)
	}
	body, err := sjson.SetRawBytes(callSandbox(ts, http.MethodGet, "/customers/"+args[0], nil), args[1], []byte(raw))
	ts.Check(err)
	callSandbox(ts, http.MethodPut, "/customers", body)
}

// callSandbox sends one request and returns the body of its answer.
func callSandbox(ts *testscript.TestScript, method, path string, body []byte) []byte {
	q, err := http.NewRequest(method, ts.Getenv("FUSEBILL_URL")+path, bytes.NewReader(body))
	ts.Check(err)
	q.Header.Set("Authorization", "Basic "+ts.Getenv("FUSEBILL_API_KEY"))
	q.Header.Set("Content-Type", "application/json")
	rep, err := http.DefaultClient.Do(q)
	ts.Check(err)
	defer rep.Body.Close()
	answer, err := io.ReadAll(rep.Body)
	ts.Check(err)
	if rep.StatusCode != http.StatusOK {
		ts.Fatalf("%s %s: %s: %s", method, path, rep.Status, answer)
	}
	return answer
}

func cmdLatest(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "latest MODE")
	all, err := runs.List(runs.Disk(), ts.MkAbs("reports"))
	ts.Check(err)
	at := slices.IndexFunc(all, func(i runs.Info) bool { return i.Head.Mode == args[0] })
	if at < 0 {
		ts.Fatalf("no run has the mode %s", args[0])
	}
	ts.Setenv("RUN", all[at].Dir)
	ts.Setenv("ID", all[at].ID)
}

// cmdAge rewrites the first record at its old length: later ones tell offsets.
func cmdAge(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "age RUN HOURS")
	hours, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0] + "/journal")
	first, rest, _ := strings.Cut(ts.ReadFile(name), "\n")
	record, _, _ := strings.Cut(first, "\t")
	var e journal.Entry
	ts.Check(json.Unmarshal([]byte(record), &e))
	stamp := func(t time.Time) string { return `"started":"` + t.Format(time.RFC3339Nano) + `"` }
	record = strings.Replace(record, stamp(e.Run.Started), stamp(e.Run.Started.Add(-time.Duration(hours)*time.Hour)), 1)
	sum := crc32.Checksum([]byte(record), crc32.MakeTable(crc32.Castagnoli))
	ts.Check(os.WriteFile(name, fmt.Appendf(nil, "%s\t%08x\n%s", record, sum, rest), 0o600))
}

func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "replace FILE OLD NEW")
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

// companion is a program that runs beside its script.
type companion struct {
	process *exec.Cmd
	out     bytes.Buffer
	said    []byte        // on standard error
	silent  chan struct{} // closed when it has closed its standard error
}

// cmdStart gives the script the commands that are about the program.
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "start N PATTERN PROGRAM ARG…")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	c := &companion{process: exec.Command(args[2], append(args[3:], "--verbose")...), silent: make(chan struct{})}
	c.process.Dir, c.process.Env, c.process.Stdout = ts.MkAbs("."), scriptEnvironment(ts), &c.out
	messages, err := c.process.StderrPipe()
	ts.Check(err)
	ts.Check(c.process.Start())
	ts.Defer(func() {
		_ = c.process.Process.Kill() // where the script has not seen to its end
		<-c.silent
		_ = c.process.Wait()
	})
	ts.SetCmd("signal", c.signal)
	ts.SetCmd("ends", c.ends)
	seen := make(chan struct{})
	go c.listen(messages, pattern, n, seen)
	select {
	case <-seen:
	case <-c.silent:
		ts.Fatalf("%s ended before %d lines matched %s:\n%s", args[2], n, pattern, c.said)
	}
}

// scriptEnvironment is what the script's other programs see of settings and folders.
func scriptEnvironment(ts *testscript.TestScript) (all []string) {
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "ROWBATCH_SANDBOX_DIR",
		"FUSEBILL_URL", "FUSEBILL_API_KEY", "TRACKFINITY_URL", "TRACKFINITY_API_KEY", "TRACKFINITY_API_USERNAME"} {
		if value := ts.Getenv(name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

func (c *companion) listen(messages io.Reader, pattern *regexp.Regexp, n int, seen chan<- struct{}) {
	defer close(c.silent)
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		c.said = append(append(c.said, lines.Bytes()...), '\n')
		if !pattern.Match(lines.Bytes()) {
			continue
		}
		if n--; n == 0 {
			close(seen)
		}
	}
}

func (c *companion) signal(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "signal NAME")
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}
	if signals[args[0]] == nil {
		ts.Fatalf("%s is none of INT, TERM and KILL", args[0])
	}
	if err := c.process.Process.Signal(signals[args[0]]); !errors.Is(err, os.ErrProcessDone) {
		ts.Check(err)
	}
}

func (c *companion) ends(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "ends CODE")
	<-c.silent
	_ = c.process.Wait() // its state tells more
	_, err := ts.Stdout().Write(c.out.Bytes())
	ts.Check(err)
	_, err = ts.Stderr().Write(c.said)
	ts.Check(err)
	got := "killed"
	if c.process.ProcessState.Exited() {
		got = strconv.Itoa(c.process.ProcessState.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, not %s; it said\n%s", got, args[0], c.said)
	}
}
