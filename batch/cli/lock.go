package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rowbatch/batch/runs"
	"rowbatch/client"
)

// lockAccount keeps other live runs of the account away until the run ends. The
// kernel releases the lock should this process die.
func (r *run) lockAccount(name string) error {
	if r.flags.dryRun {
		return nil
	}
	err := errors.New("there is no folder for locks")
	for _, dir := range lockDirs() {
		var release func() error
		release, err = r.lockIn(dir, name, 0)
		if busy := (*runs.BusyError)(nil); errors.As(err, &busy) && r.flags.lockWait > 0 {
			fmt.Fprintf(r.console.err, "rowbatch: waiting up to %s for %s to end\n", r.flags.lockWait, busy.Holder)
			release, err = r.lockIn(dir, name, r.flags.lockWait)
		}
		if err == nil {
			r.closers = append(r.closers, release)
			return nil
		}
		if r.stopped() {
			return context.Cause(r.stop)
		}
		if failed := (*runs.WriteError)(nil); !errors.As(err, &failed) {
			return err
		}
	}
	return err
}

// lockIn locks the account for this run alone, or together with the other shards
// of its file, whatever they are: what one changes, resumes or takes back is no
// customer of another.
func (r *run) lockIn(dir, name string, wait time.Duration) (release func() error, err error) {
	what := "rowbatch " + r.job.name + " " + r.file
	process := fmt.Sprintf(", process %d, since %s", os.Getpid(), time.Now().Format("2006-01-02 15:04:05"))
	if s := r.flags.shard; s.some() {
		return runs.LockShard(r.stop, dir, sameAccount(name), s.Shard, fmt.Sprintf("%s in %d shards", what, s.Of), what+" --shard "+s.String()+process, wait)
	}
	return runs.LockAccount(r.stop, dir, sameAccount(name), what+process, wait)
}

// lockRun makes this process the only one that has to do with a run.
func (r *run) lockRun(dir *runs.Dir) error {
	until := time.Now().Add(r.flags.lockWait)
	for {
		release, err := dir.Lock()
		if err == nil {
			r.closers = append(r.closers, release)
		}
		busy := (*runs.BusyError)(nil)
		if !errors.As(err, &busy) || !time.Now().Before(until) {
			return err
		}
		if r.stopped() {
			return context.Cause(r.stop)
		}
	}
}

// lockDirs are where locks may lie, the first that can be written. They are a
// user's own: of two users of one machine each keeps to his.
func lockDirs() []string {
	all := []string{filepath.Join(os.TempDir(), fmt.Sprintf("rowbatch-locks-%d", os.Getuid()))}
	if cache, err := os.UserCacheDir(); err == nil {
		all = append(all, filepath.Join(cache, "rowbatch", "locks"))
	}
	return all
}

// sameAccount folds what names one account: letter case of the host, and the
// names of this machine.
func sameAccount(name string) string {
	base, key, _ := strings.Cut(name, "#")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return name
	}
	u.Host = strings.ToLower(u.Host)
	if client.Loopback(base) {
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	return u.String() + "#" + key
}
