package runs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shardAt takes the lock of a shard, and wants to be alone in it.
func shardAt(t *testing.T, dir, split string, n int) (release func() error) {
	t.Helper()
	release, err := LockShard(t.Context(), Disk(), dir, account, Shard{split, n, 4}, "update of "+split, fmt.Sprintf("shard %d of %s", n, split), 0)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func TestShardsOfOneSplitShareTheAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	synctest.Test(t, func(t *testing.T) {
		first, third := shardAt(t, dir, "A", 1), shardAt(t, dir, "A", 3)
		_, err := LockShard(t.Context(), Disk(), dir, account, Shard{"A", 3, 4}, "update of A", "another", 0)
		mustBeBusy(t, err, "shard 3 of A")
		if !strings.Contains(err.Error(), "shard 3/4 of this file") {
			t.Error(err)
		}
		_, err = LockShard(t.Context(), Disk(), dir, account, Shard{"B", 2, 4}, "update of B", "shard 2 of B", 0)
		mustBeBusy(t, err, "update of A")
		_, err = LockAccount(t.Context(), Disk(), dir, account, "a whole run", 0)
		mustBeBusy(t, err, "update of A")
		if err := first(); err != nil {
			t.Error(err)
		}
		_, err = LockAccount(t.Context(), Disk(), dir, account, "a whole run", 0)
		mustBeBusy(t, err, "update of A") // its founder has gone, and the split has not
		second := shardAt(t, dir, "A", 2)
		if err := errors.Join(second(), third()); err != nil {
			t.Error(err)
		}
		other := shardAt(t, dir, "B", 1)
		_, err = LockShard(t.Context(), Disk(), dir, account, Shard{"A", 1, 4}, "update of A", "shard 1 of A", 0)
		mustBeBusy(t, err, "update of B")
		if err := other(); err != nil {
			t.Error(err)
		}
	})
}

func TestAWholeRunKeepsShardsOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	synctest.Test(t, func(t *testing.T) {
		if err := shardAt(t, dir, "A", 1)(); err != nil {
			t.Fatal(err)
		}
		release, err := LockAccount(t.Context(), Disk(), dir, account, "a whole run", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = LockShard(t.Context(), Disk(), dir, account, Shard{"A", 1, 4}, "update of A", "shard 1 of A", time.Minute)
		mustBeBusy(t, err, "a whole run")
		time.AfterFunc(time.Minute, func() {
			if err := release(); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		late, err := LockShard(t.Context(), Disk(), dir, account, Shard{"A", 1, 4}, "update of A", "shard 1 of A", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < time.Minute || waited > time.Minute+pollInterval {
			t.Errorf("waited %s", waited)
		}
		_, err = LockAccount(t.Context(), Disk(), dir, account, "a whole run", 0)
		mustBeBusy(t, err, "update of A") // the run before has not left its own name
		if err := late(); err != nil {
			t.Error(err)
		}
	})
}

// A long name of a file leaves room for the split behind it.
func TestALongHolderHidesNoSplit(t *testing.T) {
	dir, long := filepath.Join(t.TempDir(), "locks"), strings.Repeat("x", 5000)
	release, err := LockShard(t.Context(), Disk(), dir, account, Shard{"A", 1, 2}, long, long, 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LockShard(t.Context(), Disk(), dir, account, Shard{"A", 2, 2}, long, long, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(release(), again()); err != nil {
		t.Error(err)
	}
}

// Shards of several splits and whole runs come and go at any moment: never are two
// of them there that must not be.
func TestNoTwoSplitsAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	var mu sync.Mutex
	inside := map[string]int{} // by split and shard; "" is a whole run
	came := map[string]int{}
	enter := func(split, who string) {
		mu.Lock()
		defer mu.Unlock()
		for other, n := range inside {
			if n > 0 && (other == who || !strings.HasPrefix(other, split+"/") || split == "") {
				t.Errorf("%q came in while %q was there", who, other)
			}
		}
		inside[who]++
		came[split]++
	}
	leave := func(who string, release func() error) {
		mu.Lock()
		inside[who]--
		mu.Unlock()
		if err := release(); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for n := range 8 {
		split := []string{"A", "A", "A", "B", "B", "A", "B", ""}[n]
		who := fmt.Sprintf("%s/%d", split, n%5+1)
		all.Go(func() {
			for turns := 0; turns < 20; {
				var release func() error
				var err error
				if split == "" {
					release, err = LockAccount(t.Context(), Disk(), dir, account, who, 50*time.Millisecond)
				} else {
					release, err = LockShard(t.Context(), Disk(), dir, account, Shard{split, n%5 + 1, 5}, split, who, 0)
				}
				switch {
				case err == nil:
					enter(split, who)
					leave(who, release)
					turns++
				case !isBusy(err):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if came["A"] != 80 || came["B"] != 60 || came[""] != 20 {
		t.Errorf("not all have had their turns: %v", came)
	}
}

// Either the lock is held, or an error tells of the disk and nothing is locked.
func TestShardLocksOnAFailingDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	everyFault(t, func(t *testing.T, disk *faulty) {
		release, err := LockShard(t.Context(), disk, dir, account, Shard{fmt.Sprint("split ", disk.failAt), 1, 2}, "A", "A", 0)
		checkLock(t, disk, release, err)
	})
	free, err := LockAccount(t.Context(), Disk(), dir, account, "B", 0)
	if err != nil {
		t.Fatal("it stayed locked:", err)
	}
	if err := free(); err != nil {
		t.Error(err)
	}
}

// TestShardLocksDieWithTheirProcess starts itself once more, as the process that is killed.
func TestShardLocksDieWithTheirProcess(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		shardAt(t, dir, "A", 1)
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	dir := filepath.Join(t.TempDir(), "locks")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestShardLocksDieWithTheirProcess$")
	child.Env = append(os.Environ(), childVariable+"="+dir)
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
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatal(line, err)
	}
	beside := shardAt(t, dir, "A", 2)
	_, err = LockShard(t.Context(), Disk(), dir, account, Shard{"A", 1, 4}, "update of A", "B", 0)
	mustBeBusy(t, err, "shard 1 of A")
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // says that it was killed
	instead := shardAt(t, dir, "A", 1)
	if err := errors.Join(beside(), instead()); err != nil {
		t.Error(err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*.lock")); err != nil || len(names) != 3 {
		t.Error(names, err)
	}
	if err := shardAt(t, dir, "B", 1)(); err != nil {
		t.Error(err)
	}
}
