package cli_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/gjson"

	"rowbatch/batch/runs"
	"rowbatch/client/sandbox"
)

// customers are records as the sandbox holds them, by id.
type customers map[string][]byte

// firstCustomers reads the customers that a sandbox began with.
func firstCustomers(dir string) (customers, error) {
	all := customers{}
	return all, eachLine(filepath.Join(dir, "snapshot.jsonl"), func(line []byte) error {
		if id := gjson.GetBytes(line, "id"); id.Exists() { // else it is the snapshot's own heading
			all[id.String()] = bytes.Clone(line)
		}
		return nil
	})
}

// readEffects reads the ledger of a sandbox: the writes that took effect, in order.
func readEffects(dir string) ([]sandbox.Effect, error) {
	var all []sandbox.Effect
	err := eachLine(filepath.Join(dir, "effects.jsonl"), func(line []byte) error {
		var e sandbox.Effect
		err := json.Unmarshal(line, &e)
		all = append(all, e)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

func eachLine(name string, do func([]byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := do(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// readCustomers reads the customers as the ledger's writes left them.
func readCustomers(dir string) (customers, error) {
	all, err := firstCustomers(dir)
	if err != nil {
		return nil, err
	}
	effects, err := readEffects(dir)
	for _, e := range effects {
		all[e.ID] = e.After
	}
	return all, err
}

// field shows a value: a text's content, anything else as it is spelled, "absent" for none.
func (c customers) field(id, path string) string {
	v := gjson.GetBytes(c[id], path)
	switch {
	case !v.Exists():
		return "absent"
	case v.Type == gjson.String:
		return v.Str
	}
	return v.Raw
}

// movedFields tells which raw values differ between two records, but for the
// named fields (a.b names a value one level down) and modifiedTimestamp.
func movedFields(before, after []byte, named []string) []string {
	was, is := rawFields(before), rawFields(after)
	var moved []string
	for _, path := range slices.Compact(slices.Sorted(seqs(maps.Keys(was), maps.Keys(is)))) {
		if was[path] != is[path] && path != "modifiedTimestamp" && !slices.Contains(named, path) && !filledIn(path, was, is, named) {
			moved = append(moved, fmt.Sprintf("%s was %q and is %q", path, was[path], is[path]))
		}
	}
	return moved
}

func seqs(all ...iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, one := range all {
			for s := range one {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// filledIn says that a difference is the server's own: where an object was null
// and a named field within it makes it one, its other values come up empty.
func filledIn(path string, was, is map[string]string, named []string) bool {
	parent, child, nested := strings.Cut(path, ".")
	made := was[parent] == "null" && slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, parent+".") })
	return made && (!nested || child == "id" || child == "uri" || is[path] == "null" || is[path] == "[]")
}

// rawFields are a record's values as spelled, objects taken apart one level down.
func rawFields(body []byte) map[string]string {
	raw := map[string]string{}
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		if !value.IsObject() {
			raw[key.Str] = value.Raw
			return true
		}
		value.ForEach(func(child, inner gjson.Result) bool {
			raw[key.Str+"."+child.Str] = inner.Raw
			return true
		})
		return true
	})
	return raw
}

// newestRun returns the folder of the run that began last.
func newestRun(reports string) (string, error) {
	all, err := runs.List(runs.Disk(), reports)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("no run in %s", reports)
	}
	return all[0].Dir, nil
}

// sheet is a report file, read.
type sheet struct {
	heading []string
	rows    [][]string
}

// readSheet reads a file of the newest run, or one given by its path.
func readSheet(ts *testscript.TestScript, name string) sheet {
	if !strings.ContainsAny(name, `/\`) {
		name = filepath.Join(ts.Getenv("RUN"), name)
	}
	s, err := parseSheet(ts.ReadFile(name))
	if err != nil {
		ts.Fatalf("%s: %v", name, err)
	}
	return s
}

const byteOrderMark = "\uFEFF"

func parseSheet(text string) (sheet, error) {
	text, marked := strings.CutPrefix(text, byteOrderMark)
	if !marked || !strings.HasPrefix(text, "rb_line") || len(text) <= len("rb_line") {
		return sheet{}, errors.New("it does not begin with a byte order mark and rb_line")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = rune(text[len("rb_line")])
	r.FieldsPerRecord = -1 // a ragged row stays ragged
	all, err := r.ReadAll()
	if err != nil {
		return sheet{}, err
	}
	return sheet{all[0], all[1:]}, nil
}

func (s sheet) column(name string) (cells []string) {
	at := slices.Index(s.heading, name)
	for _, row := range s.rows {
		if at < 0 || at >= len(row) {
			cells = append(cells, "absent")
			continue
		}
		cells = append(cells, row[at])
	}
	return cells
}

// row returns the cells of the row that stands in a line of the input.
func (s sheet) row(line string) (map[string]string, bool) {
	for _, row := range s.rows {
		if row[0] != line {
			continue
		}
		cells := map[string]string{}
		for i, name := range s.heading[:min(len(row), len(s.heading))] {
			cells[name] = row[i]
		}
		return cells, true
	}
	return nil, false
}
