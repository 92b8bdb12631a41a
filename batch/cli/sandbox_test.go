package cli_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

// sandboxProcess is `rowbatch sandbox` in a process of its own.
type sandboxProcess struct {
	process  *exec.Cmd
	settings map[string]string // as it prints them
	messages bytes.Buffer
	ended    sync.Once
	err      error
}

// startSandbox starts it on a free port and waits for the settings that it prints.
func startSandbox(dir string, flags ...string) (*sandboxProcess, error) {
	p := &sandboxProcess{process: exec.Command("rowbatch", append([]string{"sandbox", "--addr", "127.0.0.1:0"}, flags...)...)}
	p.process.Env = append(environment(), "ROWBATCH_SANDBOX_DIR="+dir)
	p.process.Stderr = &p.messages
	out, err := p.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	p.settings = map[string]string{}
	lines := bufio.NewScanner(out)
	for len(p.settings) < 5 && lines.Scan() {
		if found := regexp.MustCompile(`^export (\w+)=(.+)$`).FindStringSubmatch(lines.Text()); found != nil {
			p.settings[found[1]] = found[2]
		}
	}
	if len(p.settings) < 5 {
		_ = p.stop()
		return nil, fmt.Errorf("the sandbox printed no settings, but: %s", p.messages.String())
	}
	return p, nil
}

// environment is that of a program which is to use the sandbox.
func (p *sandboxProcess) environment() []string {
	all := environment()
	for name, value := range p.settings {
		all = append(all, name+"="+value)
	}
	return all
}

// stop ends the sandbox as Ctrl-C does; its state stays.
func (p *sandboxProcess) stop() error {
	p.ended.Do(func() {
		if p.process.Process.Signal(os.Interrupt) != nil { // Windows knows no such signal
			_ = p.process.Process.Kill()
		}
		p.err = p.process.Wait()
		if p.err != nil {
			p.err = fmt.Errorf("sandbox: %w: %s", p.err, strings.TrimSpace(p.messages.String()))
		}
	})
	return p.err
}

// customers are records as the sandbox holds them, by id.
type customers map[string][]byte

// firstCustomers reads the customers that a sandbox began with.
func firstCustomers(dir string) (customers, error) {
	all := customers{}
	return all, eachLine(filepath.Join(dir, "snapshot.jsonl"), func(line []byte) error {
		if id := gjson.GetBytes(line, "id"); id.Exists() { // otherwise it is the snapshot's own heading
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

// movedFields describes the raw values that differ between two records, apart from the
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

// filledIn reports whether a difference is the server's own: where an object was null and
// a named field within it makes it one, its other values appear, empty.
func filledIn(path string, was, is map[string]string, named []string) bool {
	parent, child, nested := strings.Cut(path, ".")
	made := was[parent] == "null" && slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, parent+".") })
	return made && (!nested || child == "id" || child == "uri" || is[path] == "null" || is[path] == "[]")
}

// rawFields are a record's values as spelled; an object's are given one by one, one level down.
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

func rawValue(body []byte, field string) string {
	if typ, ok := strings.CutPrefix(field, "salesTrackingCode."); ok {
		field = `customerReference.salesTrackingCodes.#(type=="` + typ + `").code`
	}
	return gjson.GetBytes(body, field).Raw
}

// passwordMark is what the sandbox keeps of a password, raw.
func passwordMark(password string) string {
	sum := sha256.Sum256([]byte(password))
	return `"sha256:` + hex.EncodeToString(sum[:])[:16] + `"`
}
