package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// asked runs three rows against an account that is not on this machine, for which
// the stand-in answers, and a person who types what keys gives.
func asked(t *testing.T, keys func(*run) io.ReadCloser, set func(*actionFlags)) (box *sandbox.Sandbox, shown string, err error) {
	t.Helper()
	return askedAs(t, "update", "id,title,primaryEmail\n987001,Dr,new@example.com\n987002,REMOVE,\n987003,Miss,\nx,Dr,\n", keys, set)
}

// askedAs is asked for another action and file.
func askedAs(t *testing.T, name, rows string, keys func(*run) io.ReadCloser, set func(*actionFlags)) (box *sandbox.Sandbox, shown string, err error) {
	t.Helper()
	box = openBox(t, sandbox.Options{})
	file, carryOut := fileOf(t, rows), (*run).carryOut
	shown, err = askedOf(t, box, jobOf(name), file, carryOut, keys, set)
	return box, shown, err
}

func openBox(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	o.Seed = samples.Seed()
	box, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	return box
}

func fileOf(t *testing.T, rows string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "edits.csv")
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// askedOf makes a run of any kind against the stand-in.
func askedOf(t *testing.T, box *sandbox.Sandbox, j job, file string, carryOut func(*run) error, keys func(*run) io.ReadCloser, set func(*actionFlags)) (shown string, err error) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir()) // where the account's lock is: another process may be running these tests
	f := &actionFlags{runFlags: runFlags{workers: 2, timeout: 30e9, reports: t.TempDir(), expect: -1, reserveShare: 0.1}}
	set(f)
	var out, errs bytes.Buffer
	open := func(system string, _ int) (endpoint, error) {
		return endpoint{system: system, url: "https://billing.example.com/v1", key: sandboxKey, name: "test", transport: box.Transport()}, nil
	}
	r, release := prepareRun(t.Context(), j, f, file, console{in: nil, out: &out, err: &errs}, open)
	defer release()
	r.console.keyboard = func() io.ReadCloser { return keys(r) }
	err = carryOut(r)
	return errs.String(), err
}

func typing(text string) func(*run) io.ReadCloser {
	return func(*run) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
}

func exitOf(err error) int {
	if ended := (*rowsError)(nil); errors.As(err, &ended) {
		return ended.code
	}
	return codeOf(err)
}

func TestQuestionSaysWhatWillBeSent(t *testing.T) {
	box, shown, err := asked(t, typing("yes\n"), func(*actionFlags) {})
	if exitOf(err) != exitRows || len(box.Effects()) != 2 {
		t.Errorf("%v, %d effects", err, len(box.Effects()))
	}
	for _, want := range []string{"billing.example.com", "id=987001 is Copperleaf Works", `id, from the column "id"`,
		"2 to send, 1 unchanged, 1 rejected", "title in 2 rows, cleared in 1", "primaryEmail in 1 row", "7 requests", "where invoices go"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is missing in:\n%s", want, shown)
		}
	}
}

func TestNothingIsSentWithoutConsent(t *testing.T) {
	interrupt := func(r *run) io.ReadCloser {
		r.halt(signalled{syscall.SIGINT})
		return typing("")(r)
	}
	first := true
	tests := map[string]struct {
		keys func(*run) io.ReadCloser
		set  func(*actionFlags)
		want int
	}{
		"no":                 {typing("no\n"), func(*actionFlags) {}, exitUsage},
		"y is not enough":    {typing("y\n"), func(*actionFlags) {}, exitUsage},
		"end of input":       {typing(""), func(*actionFlags) {}, exitUsage},
		"nobody to ask":      {func(*run) io.ReadCloser { return nil }, func(*actionFlags) {}, exitUsage},
		"--expect of others": {typing("yes\n"), func(f *actionFlags) { f.expect = 3 }, exitUsage},
		"Ctrl-C": {func(r *run) io.ReadCloser { // the first look is whether there is a keyboard at all
			if first {
				first = false
				return typing("")(r)
			}
			return interrupt(r)
		}, func(*actionFlags) {}, exitInterrupt},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			box, shown, err := asked(t, test.keys, test.set)
			if got := exitOf(err); got != test.want || box.Requests().Kinds["put"] > 0 {
				t.Errorf("exit %d, requests %v\n%v\n%s", got, box.Requests(), err, shown)
			}
		})
	}
}

func TestYesAsksNobody(t *testing.T) {
	box, _, err := asked(t, func(*run) io.ReadCloser { return nil }, func(f *actionFlags) { f.yes = true })
	if exitOf(err) != exitRows || len(box.Effects()) != 2 {
		t.Errorf("%v, %d effects", err, len(box.Effects()))
	}
}

// Who puts customers on hold types how many.
func TestAHoldWantsItsNumber(t *testing.T) {
	const rows = "id\n987021\n987022\n987063\n"
	for answer, want := range map[string]int{"2\n": exitDone, "3\n": exitUsage, "yes\n": exitUsage, "\n": exitUsage} {
		box, shown, err := askedAs(t, "hold", rows, typing(answer), func(*actionFlags) {})
		if got := 0; err != nil {
			if got = exitOf(err); got != want {
				t.Errorf("%q: exit %d, %v", answer, got, err)
			}
		} else if want != exitDone {
			t.Errorf("%q was taken for consent", answer)
		}
		if held := len(box.Effects()); held != map[bool]int{true: 2}[want == exitDone] {
			t.Errorf("%q: %d customers were held", answer, held)
		}
		for _, part := range []string{"This puts 2 customers on hold", "balance 140.75 USD", "recurring revenue a month"} {
			if !strings.Contains(shown, part) {
				t.Errorf("%q is missing in:\n%s", part, shown)
			}
		}
	}
}
