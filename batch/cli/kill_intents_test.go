package cli_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidwall/gjson"
)

// openIntents follows a journal that is being written: the customers of the
// intents without an outcome, by row.
type openIntents struct {
	read int64
	rows map[int64]string
}

// intended says that some run has an open intent about a customer in its file.
func (s *killServer) intended(id string) bool {
	names, err := filepath.Glob(filepath.Join(s.reports, "*", "journal"))
	if err != nil {
		return false
	}
	for _, name := range names {
		if s.journals[name] == nil {
			s.journals[name] = &openIntents{rows: map[int64]string{}}
		}
		if s.journals[name].has(name, id) {
			return true
		}
	}
	return false
}

func (o *openIntents) has(name, id string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, o.read, 1<<30))
	if err != nil {
		return false
	}
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break
		}
		o.note(line)
		o.read += int64(len(line)) + 1
		text = rest
	}
	for _, open := range o.rows {
		if open == id {
			return true
		}
	}
	return false
}

func (o *openIntents) note(line []byte) {
	f := gjson.GetManyBytes(line, "k", "r", "g.act", "g.id", "g.key")
	switch f[0].Str {
	case "intent":
		id := f[3].Str
		if f[2].Str == "patch" {
			_, number, _ := strings.Cut(f[4].Str, "=")
			id = "tf:" + strings.TrimPrefix(number, "S-")
		}
		o.rows[f[1].Int()] = id
	case "done":
		delete(o.rows, f[1].Int())
	}
}
