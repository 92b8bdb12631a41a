package intake

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
)

// A pipe that nobody writes to, in the place of any file, does not keep a stop from its end.
func TestAPipeWithoutAWriter(t *testing.T) {
	pipe, edits := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "edits.csv")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(edits, []byte("id,firstName\n987001,Hugh\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	silent, writer := io.Pipe()
	defer writer.Close()
	for what, s := range map[string]Source{
		"file": {Name: pipe}, "mapping file": {Name: edits, Input: Input{Map: pipe}}, "base": {Name: edits, Input: Input{Base: pipe}},
		"standard input": {Name: "-", Stdin: silent},
	} {
		dir, err := runs.Create(runs.Disk(), t.TempDir(), time.Now(), "update", "x")
		if err != nil {
			t.Fatal(err)
		}
		s.Actions = ActionsOf("update")
		stop, halt := context.WithCancelCause(t.Context())
		stopped := errors.New("stopped by Ctrl-C")
		time.AfterFunc(10*time.Millisecond, func() { halt(stopped) })
		if _, err := Read(stop, s, dir); !errors.Is(err, stopped) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What comes through a pipe comes only once: nobody must wait for it a second time.
func TestAPipeIsNotReadAgain(t *testing.T) {
	pipes := []string{filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "map")}
	for i, text := range []string{"Nr,firstName\n987001,Hugh\n", "columns: {firstName: firstName}\nkey: {column: Nr, field: id}\n"} {
		if err := syscall.Mkfifo(pipes[i], 0o600); err != nil {
			t.Fatal(err)
		}
		go func() { _ = os.WriteFile(pipes[i], []byte(text), 0o600) }()
	}
	dir, err := runs.Create(runs.Disk(), t.TempDir(), time.Now(), "update", "x")
	if err != nil {
		t.Fatal(err)
	}
	in, err := Read(t.Context(), Source{Name: pipes[0], Actions: ActionsOf("update"), Input: Input{Map: pipes[1]}}, dir)
	if err != nil || in.Checked.Rows != 1 || in.Path != "" || in.MapPath != "" || in.Mapping == "" {
		t.Errorf("%+v %v", in, err)
	}
}

// What has no end is refused before it fills the disk.
func TestAnInputWithoutAnEnd(t *testing.T) {
	endless := func(left int64) *piped { return &piped{io.NopCloser(zeros{}), t.Context(), left} }
	n, err := io.Copy(io.Discard, endless(100_000))
	if _, refused := errors.AsType[*csvfile.Refusal](err); !refused || n != 100_000 {
		t.Errorf("%d bytes, %v", n, err)
	}
	text, err := io.ReadAll(&piped{io.NopCloser(strings.NewReader("id\n1\n")), t.Context(), 100})
	if err != nil || string(text) != "id\n1\n" {
		t.Errorf("%q %v", text, err)
	}
}

// A file of megabytes is no mapping file; most likely it is the rows.
func TestAMappingFileOfMegabytes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(name, make([]byte, longestMapping+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := new(File).readMapping(t.Context(), name)
	if refusal, is := errors.AsType[*csvfile.Refusal](err); !is || !strings.Contains(refusal.Error(), "more than 1 MiB") {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
