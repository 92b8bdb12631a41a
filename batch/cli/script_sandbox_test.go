package cli_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/sjson"
)

// sandboxOfScript holds a script's sandbox: the one that runs, if any.
type sandboxOfScript struct{ box *sandboxProcess }

type sandboxKey struct{}

func sandboxOf(ts *testscript.TestScript) *sandboxOfScript {
	return ts.Value(sandboxKey{}).(*sandboxOfScript)
}

func (s *sandboxOfScript) clear() error {
	box := s.box
	if s.box = nil; box == nil {
		return nil
	}
	return box.stop()
}

func cmdSandbox(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "sandbox FLAG…")
	here := sandboxOf(ts)
	ts.Check(here.clear())
	box, err := startSandbox(ts.Getenv("ROWBATCH_SANDBOX_DIR"), args...)
	ts.Check(err)
	here.box = box
	for name, value := range box.settings {
		ts.Setenv(name, value)
	}
}

// cmdRestart: its flags come after those of startSandbox, and so take precedence.
func cmdRestart(ts *testscript.TestScript, neg bool, args []string) {
	at, err := url.Parse(ts.Getenv("FUSEBILL_URL"))
	ts.Check(err)
	cmdSandbox(ts, neg, append([]string{"--addr", at.Host}, args...))
}

func cmdWrites(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "writes N ID…")
	effects, err := readEffects(ts.Getenv("ROWBATCH_SANDBOX_DIR"))
	ts.Check(err)
	if strconv.Itoa(len(effects)) != args[0] {
		ts.Fatalf("the sandbox has taken %d writes, not %s", len(effects), args[0])
	}
	var last []string
	for _, e := range effects[len(effects)-min(len(effects), len(args)-1):] {
		last = append(last, e.ID)
	}
	slices.Sort(last)
	if expected := slices.Sorted(slices.Values(args[1:])); !slices.Equal(last, expected) {
		ts.Fatalf("the last writes were on %q, not on %q", last, expected)
	}
}

func cmdCustomer(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: customer ID FIELD WANT")
	}
	now, err := readCustomers(ts.Getenv("ROWBATCH_SANDBOX_DIR"))
	ts.Check(err)
	if got := now.field(args[0], args[1]); (got == args[2]) == neg {
		ts.Fatalf("%s of customer %s is %q", args[1], args[0], got)
	}
}

func cmdAffiliate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: affiliate ID FIELD WANT")
	}
	cmdCustomer(ts, neg, append([]string{"tf:" + args[0]}, args[1:]...))
}

func cmdUntouched(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "untouched ID FIELD…")
	dir := ts.Getenv("ROWBATCH_SANDBOX_DIR")
	first, err := firstCustomers(dir)
	ts.Check(err)
	now, err := readCustomers(dir)
	ts.Check(err)
	if moved := movedFields(first[args[0]], now[args[0]], args[1:]); len(moved) > 0 {
		ts.Fatalf("customer %s: %s", args[0], strings.Join(moved, "; "))
	}
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
