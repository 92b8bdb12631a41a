package runs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// NotFoundError says that there is no such run.
type NotFoundError struct {
	Name    string // as typed
	Reports string
	Nearest string // the id that was most likely meant; "": none is like it
}

func (e *NotFoundError) Error() string {
	meant := ""
	if e.Nearest != "" {
		meant = fmt.Sprintf("did you mean %s? ", e.Nearest)
	}
	return fmt.Sprintf("there is no run %q in %s; %stry: rowbatch runs, or --reports with the folder that holds it", e.Name, e.Reports, meant)
}

// Find returns a run of the reports folder by its id, or any run by the path of
// its folder. The error is a *[NotFoundError] when there is none.
func Find(reports, name string) (*Dir, error) { return FindOn(Disk(), reports, name) }

// FindOn is Find on another file system.
func FindOn(on FS, reports, name string) (*Dir, error) {
	paths, err := pathsOf(reports, name)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		d := &Dir{fs: on, path: path}
		if isRun, err := d.isRun(); isRun || err != nil {
			return d, err
		}
	}
	dirs, err := runDirs(on, reports)
	if err != nil {
		return nil, err
	}
	return nil, &NotFoundError{name, reports, nearest(filepath.Base(name), dirs)}
}

// pathsOf returns where a run of this name may be, the likelier place first.
func pathsOf(reports, name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	id := filepath.Clean(name)
	if id == "." || id != filepath.Base(id) || !filepath.IsLocal(id) {
		return []string{path}, nil
	}
	return []string{filepath.Join(reports, id), path}, nil
}

const shortestPart = 3 // of an id, that is taken to mean it

// nearest returns the newest id that contains what was typed, or else one that
// begins and ends like it for more than half its length.
func nearest(typed string, dirs []*Dir) string {
	var best string
	for _, d := range slices.Backward(dirs) {
		id := d.ID()
		if len(typed) >= shortestPart && strings.Contains(id, typed) {
			return id
		}
		if alike(typed, id) > max(len(id)/2, alike(typed, best)) {
			best = id
		}
	}
	return best
}

// alike counts the bytes that two names share at their beginnings and ends.
func alike(a, b string) int {
	shorter := min(len(a), len(b))
	head := 0
	for head < shorter && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < shorter-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head + tail
}
