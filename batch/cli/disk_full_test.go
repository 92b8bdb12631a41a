package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

// TestAFullDisk runs the real program where no file may grow beyond a size, for
// sizes from nothing up to what the run takes. It ends with 15, and a resume on a
// disk with room carries the run to its end.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a shell sets the limit")
	}
	file, err := csvOf([][]string{{"id", "firstName"}, {"987001", "New1"}, {"987002", "New2"}, {"987003", "New3"}, {"987004", "New4"}})
	if err != nil {
		t.Fatal(err)
	}
	full, sound := 0, 0
	for blocks := 0; sound < 2 && !t.Failed(); blocks += 2 {
		if blocks > 200 {
			t.Fatal("the run never fits")
		}
		f := newFullDisk(t, file)
		switch code := f.run(blocks); code {
		case exitFiles:
			full++
		case exitDone:
			sound++
		default:
			t.Errorf("%d blocks: exit %d\n%s", blocks, code, f.printed)
		}
		f.goOn(blocks)
	}
	if full < 5 {
		t.Errorf("only %d runs had a full disk", full)
	}
	t.Logf("%d runs on a full disk", full)
}

const exitFiles = 15

type fullDisk struct {
	t       *testing.T
	dir     string
	server  *killServer
	printed []byte
}

func newFullDisk(t *testing.T, file []byte) *fullDisk {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "edits.csv"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return &fullDisk{t: t, dir: dir, server: startKillServer(t, filepath.Join(dir, "box"), filepath.Join(dir, "reports"))}
}

// run starts the update with a limit of so many blocks a file: 512 or 1,024 bytes each, as the shell has it.
func (f *fullDisk) run(blocks int) int {
	return f.command("sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$0" "$@"`, blocks), "rowbatch", "update", "edits.csv", "--timeout", "500ms")
}

func (f *fullDisk) command(name string, args ...string) int {
	f.server.expect(blow{})
	c := exec.Command(name, args...)
	c.Dir, c.Env = f.dir, f.server.environment()
	var err error
	f.printed, err = c.CombinedOutput()
	return exitCode(f.t, c, err)
}

// goOn resumes the run, if it has come to be one, and starts it anew otherwise.
func (f *fullDisk) goOn(blocks int) {
	all, err := runs.List(runs.Disk(), f.server.reports)
	if err != nil {
		f.t.Fatal(err)
	}
	command := []string{"update", "edits.csv"}
	began := len(all) > 0 && all[0].Damage == nil
	if began {
		command = []string{"resume", all[0].ID, "--timeout", "500ms"}
	} else if f.server.total > 0 {
		f.t.Errorf("%d blocks: no journal, and %d requests", blocks, f.server.total)
	}
	if code := f.command("rowbatch", command...); code != exitDone {
		f.t.Errorf("%d blocks: then %v ended with %d\n%s", blocks, command, code, f.printed)
		return
	}
	for _, b := range f.breaches() {
		f.t.Errorf("%d blocks: %s", blocks, b)
	}
}

func (f *fullDisk) breaches() []string {
	all, err := runs.List(runs.Disk(), f.server.reports)
	if err != nil || len(all) == 0 {
		f.t.Fatal(all, err)
	}
	d, err := runs.Open(runs.Disk(), f.server.reports, all[0].ID)
	if err != nil {
		f.t.Fatal(err)
	}
	run, err := invariants.Read(d)
	if err != nil {
		f.t.Fatal(err)
	}
	ledger, err := invariants.ReadLedger(f.server.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	found, err := invariants.Case{Run: run, Ledger: ledger, Reported: true, Ended: true}.Breaches()
	if err != nil {
		f.t.Fatal(err)
	}
	return append(found, f.server.breaches...)
}
