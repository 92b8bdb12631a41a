package runs

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

const (
	idTime          = "20060102T150405Z"
	longestFilePart = 40
)

// idOf returns a run's id: 20261120T215200Z-update-customers.
func idOf(now time.Time, action, file string) string {
	return fmt.Sprintf("%s-%s-%s", now.UTC().Format(idTime), action, filePart(file))
}

// startOf is the time in a run's id; zero for what is no such id.
func startOf(id string) time.Time {
	text, _, _ := strings.Cut(id, "-")
	t, err := time.Parse(idTime, text)
	if err != nil {
		return time.Time{}
	}
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
