//go:build unix

package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// noFollow keeps a file from being opened through a link.
const noFollow = syscall.O_NOFOLLOW

// private wants a folder to be this user's alone, and the one above it to be one in which
// nobody else can put another in its place.
func private(folder string) error {
	for at, open := filepath.Dir(folder), fs.FileMode(0o022); ; at, open = folder, 0o077 {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		owner, known := info.Sys().(*syscall.Stat_t)
		switch {
		case !info.IsDir():
			return fmt.Errorf("%s is a link or a file, and no folder", at)
		case !known || int(owner.Uid) != os.Getuid():
			return fmt.Errorf("%s belongs to another user", at)
		case info.Mode().Perm()&open != 0:
			return errors.New("other users may write to " + at + ", or read what is in it; chmod 700 keeps them out")
		case at == folder:
			return nil
		}
	}
}
