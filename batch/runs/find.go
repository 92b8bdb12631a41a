package runs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	idTime          = "20060102T150405Z"
	longestFilePart = 40
)

// startOf is the time in a run's id; zero for what is no such id.
func startOf(id string) time.Time {
	text, _, _ := strings.Cut(id, "-")
	t, _ := time.Parse(idTime, text) // zero with an error
	return t
}

// filePart is what an id keeps of the input's name: [a-z0-9-], at most 40 characters.
func filePart(file string) string {
	if file == "-" {
		return "stdin"
	}
	base := filepath.Base(file)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	var b strings.Builder
	for _, r := range strings.ToLower(base) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	part := b.String()
	part = strings.Trim(part[:min(len(part), longestFilePart)], "-")
	if part == "" {
		return "file"
	}
	return part
}

// numbered returns base itself for 1, and base-2, base-3, … after it; an
// extension stays last.
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := filepath.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
}

// Find returns a run of the reports folder by its id, or any run by the path of
// its folder. Where there is none, the error names
// the id that was most likely meant, of those that fit.
func Find(reports, name string, fit func(Info) bool) (*Dir, error) {
	if name != "" {
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		paths := []string{path}
		if id := filepath.Clean(name); id != "." && id == filepath.Base(id) && filepath.IsLocal(id) {
			paths = []string{filepath.Join(reports, id), path} // the likelier place first
		}
		for _, path := range paths {
			d := at(Disk(), path)
			if isRun, err := d.isRun(); isRun || err != nil {
				return d, err
			}
		}
	}
	dirs, err := runDirs(Disk(), reports)
	if err != nil {
		return nil, err
	}
	meant := nearest(filepath.Base(name), dirs, fit)
	if meant != "" {
		meant = "did you mean " + meant + "? "
	}
	return nil, fmt.Errorf("there is no run %q in %s; %stry: rowbatch runs, or --reports with the folder that holds it",
		name, reports, meant)
}

const shortestPart = 3 // of an id, that is taken to mean it

// nearest returns the newest fitting id that contains what was typed, or else one that
// begins and ends like it for more than half its length.
func nearest(typed string, dirs []*Dir, fit func(Info) bool) string {
	var best string
	for _, d := range slices.Backward(dirs) {
		id := d.ID()
		if len(typed) >= shortestPart && strings.Contains(id, typed) && fit(d.Info()) {
			return id
		}
		if alike(typed, id) > max(len(id)/2, alike(typed, best)) && fit(d.Info()) {
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
