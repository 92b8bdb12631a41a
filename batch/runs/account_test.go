package runs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const account = "https://secure.example.com/v1 5f2a"

func TestOneRunOfAnAccount(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "deep", "locks")
	release, err := LockAccount(ctx, Disk(), dir, account, "run A, process 4711\nand more", 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = LockAccount(ctx, Disk(), dir, account, "run B", 0)
	mustBeBusy(t, err, "run A, process 4711")
	elsewhere, err := LockAccount(ctx, Disk(), dir, account+"x", "run B", 0)
	if err != nil {
		t.Fatal("another account is locked too:", err)
	}
	if err := errors.Join(release(), elsewhere()); err != nil {
		t.Error(err)
	}
	release, err = LockAccount(ctx, Disk(), dir, account, "C", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	_, err = LockAccount(ctx, Disk(), dir, account, "D", 0)
	mustBeBusy(t, err, "C") // the longer line before it is gone
	checkLockFiles(t, dir)
}

func checkLockFiles(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Error(files, err)
	}
	for _, path := range files {
		if strings.Contains(path.Name(), "example") {
			t.Errorf("%s tells of the account", path.Name())
		}
		info, err := path.Info()
		if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Error(info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Error(info.Mode(), err)
	}
}

// What stands in the file is shown on a terminal.
func TestAHolderSpeaksPlainly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	for holder, want := range map[string]string{
		"":                             "another process",
		"run \x1b[31mred\u202e":        `run \u001b[31mred\u202e`,
		strings.Repeat("x", 1000):      strings.Repeat("x", 300),
		"run 名前, since 09:30, at home": "run 名前, since 09:30, at home",
	} {
		release, err := LockAccount(t.Context(), Disk(), dir, account, holder, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = LockAccount(t.Context(), Disk(), dir, account, "B", 0)
		mustBeBusy(t, err, want)
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

func TestWaitingForAnAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	synctest.Test(t, func(t *testing.T) {
		release, err := LockAccount(t.Context(), Disk(), dir, account, "A", 0)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = LockAccount(t.Context(), Disk(), dir, account, "B", time.Minute)
		mustBeBusy(t, err, "A")
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("gave up after %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := LockAccount(ctx, Disk(), dir, account, "B", time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.AfterFunc(5*time.Minute, func() { _ = release() })
		start = time.Now()
		mine, err := LockAccount(t.Context(), Disk(), dir, account, "B", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited < 5*time.Minute || waited > 5*time.Minute+pollInterval {
			t.Errorf("came after %v", waited)
		}
		if err := mine(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyWantOneAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	var holders, turns atomic.Int32
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				release, err := LockAccount(t.Context(), Disk(), dir, account, fmt.Sprint(n), time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				time.Sleep(time.Second)
				holders.Add(-1)
				turns.Add(1)
				if err := release(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	if turns.Load() != 20 {
		t.Errorf("%d of 20 had their turn", turns.Load())
	}
}

// What others may reach keeps no runs apart: they could lock it, or lead it elsewhere.
func TestTheFolderOfLocksIsOnesOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps each user's cache folder from the others by itself")
	}
	for what, spoil := range map[string]func(cache, locks string) error{
		"others may look":  func(_, locks string) error { return os.Chmod(locks, 0o755) },
		"others may write": func(_, locks string) error { return os.Chmod(locks, 0o770) },
		"others may write above": func(cache, _ string) error {
			return os.Chmod(cache, 0o777)
		},
		"it is a link": func(cache, locks string) error {
			return errors.Join(os.Rename(locks, filepath.Join(cache, "elsewhere")), os.Symlink("elsewhere", locks))
		},
		"it is a file":        func(_, locks string) error { return errors.Join(os.Remove(locks), os.WriteFile(locks, nil, 0o600)) },
		"it is another's":     func(_, locks string) error { return chown(t, locks) },
		"so is the one above": func(cache, _ string) error { return chown(t, cache) },
	} {
		t.Run(what, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "rowbatch")
			locks := filepath.Join(cache, "locks")
			if err := errors.Join(os.MkdirAll(locks, 0o700), spoil(cache, locks)); err != nil {
				t.Fatal(err)
			}
			_, alone := LockAccount(t.Context(), Disk(), locks, account, "A", 0)
			_, shared := LockShard(t.Context(), Disk(), locks, account, Shard{"x", 1, 2}, "A", "A", 0)
			for _, err := range []error{alone, shared} {
				if unwritten, is := errors.AsType[*WriteError](err); !is || !strings.Contains(unwritten.Try, "yours alone") {
					t.Error(err)
				}
			}
		})
	}
}

// chown gives a folder to somebody else, which only root can do.
func chown(t *testing.T, path string) error {
	if os.Getuid() != 0 {
		t.Skip("only root gives folders away")
	}
	return os.Chown(path, 4711, 4711)
}

// A link in the place of a lock would have whatever it leads to overwritten.
func TestALockIsNoLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only an administrator makes links there")
	}
	locks, precious := filepath.Join(t.TempDir(), "locks"), filepath.Join(t.TempDir(), "precious.csv")
	release, err := LockAccount(t.Context(), Disk(), locks, account, "A", 0)
	if err == nil {
		err = errors.Join(release(), os.WriteFile(precious, []byte("id,firstName"), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(locks, "*.lock"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	if err := errors.Join(os.Remove(paths[0]), os.Symlink(precious, paths[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := LockAccount(t.Context(), Disk(), locks, account, "A", 0); err == nil {
		t.Error("a link passes for a lock")
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "id,firstName" {
		t.Errorf("%q %v", text, err)
	}
}

func TestNoPlaceForLocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LockAccount(t.Context(), Disk(), filepath.Join(file, "locks"), account, "A", 0)
	var unwritten *WriteError
	if !errors.As(err, &unwritten) || !strings.Contains(err.Error(), "try:") || strings.Contains(err.Error(), "--reports") {
		t.Error(err)
	}
}
