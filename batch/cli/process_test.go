package cli_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// sandboxProcess is a stand-in served by a process of its own.
type sandboxProcess struct {
	process  *exec.Cmd
	settings map[string]string // as it prints them
	messages bytes.Buffer
	ended    sync.Once
	err      error
}

// stand holds a script's sandbox: the one that runs, if any.
type stand struct{ box *sandboxProcess }

type standKey struct{}

func standOf(ts *testscript.TestScript) *stand { return ts.Value(standKey{}).(*stand) }

func (s *stand) clear() error {
	box := s.box
	if s.box = nil; box == nil {
		return nil
	}
	return box.stop()
}

// environment is that of a process which tests start.
func environment() []string {
	name, value := hurried()
	return append(os.Environ(), name+"="+value)
}

// startSandbox starts `rowbatch sandbox` on a free port and waits for the settings that it prints.
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

// environment is that of a process which is to use the sandbox.
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
