package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rowbatch/batch/runs"
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
		release, err = runs.LockAccount(r.stop, dir, name, holder, r.flags.lockWait)
		if err == nil {
			r.closers = append(r.closers, release)
			return nil
		}
		if failed := (*runs.WriteError)(nil); !errors.As(err, &failed) {
			return err
		}
	}
	return err
}

// lockDirs are where locks may lie, the first that can be written: everybody on
// this machine who uses the account must come to the same one.
func lockDirs() []string {
	var all []string
	if cache, err := os.UserCacheDir(); err == nil {
		all = append(all, filepath.Join(cache, "rowbatch", "locks"))
	}
	return append(all, filepath.Join(os.TempDir(), fmt.Sprintf("rowbatch-locks-%d", os.Getuid())))
}
