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
	holder := fmt.Sprintf("rowbatch %s %s, process %d, since %s", r.job.name, r.file, os.Getpid(), time.Now().Format("2006-01-02 15:04:05"))
	err := errors.New("there is no folder for locks")
	for _, dir := range lockDirs() {
		var release func() error
		release, err = runs.LockAccount(r.stop, dir, sameAccount(name), holder, 0)
		if busy := (*runs.BusyError)(nil); errors.As(err, &busy) && r.flags.lockWait > 0 {
			fmt.Fprintf(r.console.err, "rowbatch: waiting up to %s for %s to end\n", r.flags.lockWait, busy.Holder)
			release, err = runs.LockAccount(r.stop, dir, sameAccount(name), holder, r.flags.lockWait)
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
