//go:build !unix

package runs

import (
	"fmt"
	"os"
)

// noFollow has no meaning here: only an administrator may make links.
const noFollow = 0

// private wants a folder not to be a link to another. Whose it is, the folders of each
// user see to here.
func private(folder string) error {
	info, err := os.Lstat(folder)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is a link or a file, and no folder", folder)
	}
	return err
}
