package runs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func mustBeBusy(t *testing.T, err error, holder string) {
	t.Helper()
	var busy *BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("not busy: %v", err)
	}
	if busy.Holder != holder || !strings.Contains(err.Error(), "try:") || !strings.Contains(err.Error(), holder) {
		t.Errorf("%v, want held by %q", err, holder)
	}
}

func TestOneProcessWritesARun(t *testing.T) {
	d := newDir(t)
	other := at(Disk(), d.path)
	if other.Running() {
		t.Error("runs before it was locked")
	}
	if _, err := os.Stat(d.Path(lockName)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("asking made a file:", err)
	}
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Lock()
	mustBeBusy(t, err, fmt.Sprintf("process %d", os.Getpid()))
	if !other.Running() || !d.Running() {
		t.Error("is not running")
	}
	for range 2 {
		if err := release(); err != nil {
			t.Error(err)
		}
	}
	if other.Running() {
		t.Error("still runs")
	}
	again, err := other.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil || !d.Running() {
		t.Error("an old release took another's lock", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}

func TestAskingDisturbsNoOne(t *testing.T) {
	d := newDir(t)
	done := make(chan struct{})
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					d.Running()
				}
			}
		})
	}
	for range 50 {
		release, err := d.Lock()
		if err != nil {
			t.Error(err)
			break
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	askers.Wait()
}

func TestALockOutlivesNoDiscardedRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no open file is removed there")
	}
	d := newDir(t)
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

type lockless struct{ FS }

func (lockless) TryLock(string) (func() error, bool, error) {
	return nil, false, errors.ErrUnsupported
}
func (lockless) TryShare(string) (func() error, bool, error) {
	return nil, false, errors.ErrUnsupported
}
func (lockless) Locked(string) (bool, error) { return true, errors.ErrUnsupported }

func TestWithoutLocks(t *testing.T) {
	d := newDir(t)
	d.fs = lockless{d.fs}
	if d.Running() {
		t.Error("runs")
	}
	_, err := d.Lock()
	var unwritten *WriteError
	if !errors.As(err, &unwritten) || !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// Either the lock is held, or an error tells of the disk and nothing is locked.
func TestLocksOnAFailingDisk(t *testing.T) {
	d, locks := newDir(t), filepath.Join(t.TempDir(), "locks")
	everyFault(t, func(t *testing.T, disk *faulty) {
		d := at(disk, d.path)
		release, err := d.Lock()
		checkLock(t, disk, release, err)
		release, err = LockAccount(t.Context(), disk, locks, account, "A", 0)
		checkLock(t, disk, release, err)
	})
	free, err := LockAccount(t.Context(), Disk(), locks, account, "B", 0)
	if err != nil {
		t.Fatal("it stayed locked:", err)
	}
	if err := free(); err != nil || d.Running() {
		t.Error("it stayed locked", err)
	}
}

func checkLock(t *testing.T, disk *faulty, release func() error, err error) {
	t.Helper()
	if err == nil {
		err = release()
		if err != nil && !errors.Is(err, errFault) {
			t.Error(err)
		}
		return
	}
	var unwritten *WriteError
	if !errors.As(err, &unwritten) || !errors.Is(err, errFault) {
		t.Errorf("operation %d: %v", disk.failAt, err)
	}
}

const childVariable = "ROWBATCH_TEST_LOCKS"

// TestLocksDieWithTheirProcess starts itself once more, as the process that is killed.
func TestLocksDieWithTheirProcess(t *testing.T) {
	if path := os.Getenv(childVariable); path != "" {
		holdUntilKilled(t, path)
		return
	}
	d := newDir(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLocksDieWithTheirProcess$")
	child.Env = append(os.Environ(), childVariable+"="+d.Path())
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked\n" {
		t.Fatal(line, err)
	}
	_, err = d.Lock()
	mustBeBusy(t, err, fmt.Sprintf("process %d", child.Process.Pid))
	_, err = LockAccount(t.Context(), Disk(), d.Path(), account, "B", 0)
	mustBeBusy(t, err, "the child")
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // says that it was killed
	if d.Running() {
		t.Error("a dead process runs")
	}
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	free, err := LockAccount(t.Context(), Disk(), d.Path(), account, "B", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(release(), free()); err != nil {
		t.Error(err)
	}
}

func holdUntilKilled(t *testing.T, path string) {
	d := at(Disk(), path)
	if _, err := d.Lock(); err != nil {
		t.Fatal(err)
	}
	if _, err := LockAccount(t.Context(), Disk(), path, account, "the child", 0); err != nil {
		t.Fatal(err)
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
