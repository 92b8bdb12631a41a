package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch/cli"
	"rowbatch/batch/runs"
)

var damageStep = flag.Int("damage-step", 97, "of how many bytes of a run's journal one is damaged in TestADamagedRun; 1: each")

// damageTrial is a run that was killed, of whose folder damaged copies are resumed.
type damageTrial struct {
	t       *testing.T
	dir     string
	server  *killServer
	id      string
	journal []byte
	rows    []byte
	known   int // bytes of the journal that were on disk when its last record was written
	bodies  map[string][]byte
	mark    int64 // bytes of the ledger so far
}

// newDamageTrial kills a run of six rows at the fourth write, after its effect.
func newDamageTrial(t *testing.T) *damageTrial {
	t.Helper()
	dir := t.TempDir()
	d := &damageTrial{t: t, dir: dir, server: startKillServer(t, filepath.Join(dir, "box"), filepath.Join(dir, "reports")), bodies: map[string][]byte{}}
	file, err := csvOf([][]string{{"action", "id", "firstName"}, {"hold", "987001", ""}, {"update", "987002", "New2"}, {"hold", "987003", ""},
		{"update", "987004", "New4"}, {"update", "987005", "New5"}, {"hold", "987006", ""}})
	d.must(errors.Join(err, os.WriteFile(filepath.Join(dir, "edits.csv"), file, 0o600)))
	killed := &killTrial{t: t, dir: dir, server: d.server, figures: &killFigures{}, plan: killPlan{commands: [][]string{{"run", "FILE", "--workers", "1"}}}}
	if code := killed.start(false, killPoint{n: 4, atWrite: true, late: true}, 0); code >= 0 {
		t.Fatalf("it was not killed, but ended with %d", code)
	}
	all, err := runs.List(runs.Disk(), d.server.reports)
	d.must(err)
	d.id = all[0].ID
	d.journal, err = os.ReadFile(filepath.Join(d.server.reports, d.id, "journal"))
	d.must(err)
	d.rows, err = os.ReadFile(filepath.Join(d.server.reports, d.id, runs.RowsName))
	d.must(err)
	d.journal = aged(d.journal)
	for line := range bytes.Lines(d.journal) {
		d.known = int(gjson.GetBytes(line, "d").Int())
	}
	for n := range 6 {
		id := fmt.Sprint(firstID + n)
		d.bodies[id], _ = d.server.box.Customer(id)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	for _, setting := range d.server.environment()[len(environment()):] {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	t.Chdir(dir)
	silence(t)
	return d
}

// aged returns a journal whose intents are an hour older, so that no resume waits for
// what their writes may still do.
func aged(journal []byte) (older []byte) {
	stamp := regexp.MustCompile(`"at":"[^"]+"`)
	for line := range bytes.Lines(journal) {
		line = stamp.ReplaceAllFunc(line[:bytes.LastIndexByte(line, '\t')], func(text []byte) []byte {
			at, err := time.Parse(`"at":"`+time.RFC3339Nano+`"`, string(text))
			if err != nil {
				return text
			}
			return fmt.Appendf(nil, `"at":"%s"`, at.Add(-time.Hour).Format(time.RFC3339Nano))
		})
		older = append(older, line...)
		older = fmt.Appendf(older, "\t%08x\n", crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)))
	}
	return older
}

// silence keeps commands that run in this process from printing.
func silence(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, messages := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	t.Cleanup(func() {
		os.Stdout, os.Stderr = out, messages
		_ = null.Close()
	})
}

func (d *damageTrial) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *damageTrial) ledger() string { return filepath.Join(d.server.dir, "effects.jsonl") }

// effects counts the effects on each customer since the folder was put in place.
func (d *damageTrial) effects() map[string]int {
	f, err := os.Open(d.ledger())
	d.must(err)
	defer f.Close()
	lines, err := io.ReadAll(io.NewSectionReader(f, d.mark, 1<<30))
	d.must(err)
	count := map[string]int{}
	for line := range bytes.Lines(lines) {
		count[gjson.GetBytes(line, "id").Str]++
	}
	return count
}

// putBack puts the folder in place with these files, and the customers back as they were.
func (d *damageTrial) putBack(journal, rows []byte) {
	folder := filepath.Join(d.server.reports, d.id)
	d.must(os.RemoveAll(folder))
	d.must(os.MkdirAll(folder, 0o700))
	d.must(os.WriteFile(filepath.Join(folder, "journal"), journal, 0o600))
	d.must(os.WriteFile(filepath.Join(folder, runs.RowsName), rows, 0o600))
	for id, body := range d.bodies {
		if now, _ := d.server.box.Customer(id); !bytes.Equal(now, body) {
			d.server.box.Edit(id, func([]byte) []byte { return body })
		}
	}
	for id := range d.bodies {
		d.bodies[id], _ = d.server.box.Customer(id) // an edit changes the time stamp
	}
	info, err := os.Stat(d.ledger())
	d.must(err)
	d.mark = info.Size()
	d.server.nextProcess(killPoint{})
}

// TestADamagedRun flips and cuts the journal of a killed run at every byte. Damage
// to what was known to be on disk ends resume and report with 15, and nothing is sent.
// What came after that a crash may have torn as well: from there the run is resumed. No
// row has a second effect.
func TestADamagedRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the run is killed by a signal")
	}
	d := newDamageTrial(t)
	exits := map[string]map[int]int{}
	for at := 0; at <= len(d.journal) && !t.Failed(); at += *damageStep {
		cases := map[string][]byte{"cut": d.journal[:at]}
		if at < len(d.journal) {
			cases["flip"] = flipped(d.journal, at)
		}
		for name, journal := range cases {
			if exits[name] == nil {
				exits[name] = map[int]int{}
			}
			exits[name][d.damaged(name, at, journal)]++
		}
	}
	t.Logf("%d bytes, of which every %d.; exit codes %v", len(d.journal), *damageStep, exits)
	if !t.Failed() && (exits["flip"][exitFiles] < 5 || exits["cut"][exitDone] < 5) {
		t.Errorf("exit codes %v: too few copies were damaged", exits)
	}
}

func flipped(text []byte, at int) []byte {
	other := bytes.Clone(text)
	other[at] ^= 1 << (at % 8)
	return other
}

func (d *damageTrial) damaged(name string, at int, journal []byte) int {
	d.putBack(journal, d.rows)
	where := fmt.Sprintf("%s at byte %d", name, at)
	head := bytes.IndexByte(d.journal, '\n') + 1
	reported := cli.Main([]string{"report", d.id})
	code := cli.Main([]string{"resume", d.id, "--timeout", "10s", "--quiet"})
	switch lost := name == "cut" && at < head; {
	case lost && code == exitDone, name == "flip" && at < d.known && code != exitFiles, !lost && (name == "cut" || at >= d.known) && code != exitDone:
		d.t.Errorf("%s: resume ended with %d", where, code)
	case code != exitDone && d.server.total > 0:
		d.t.Errorf("%s: resume ended with %d, and made %d requests", where, code, d.server.total)
	case (reported == exitFiles) != (code == exitFiles):
		d.t.Errorf("%s: report ended with %d, and resume with %d", where, reported, code)
	}
	for id, n := range d.effects() {
		if n > 1 || id < "987005" {
			d.t.Errorf("%s: %d effects on customer %s", where, n, id)
		}
	}
	return code
}
