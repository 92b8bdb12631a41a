package cli_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// block is a fenced part of a page, with the prose before it.
type block struct {
	fence, text, prose string
	line               int
}

func blocks(page string) (all []block) {
	var b block
	inside := false
	for n, line := range strings.Split(page, "\n") {
		fence, marked := strings.CutPrefix(line, "```")
		switch {
		case marked && inside:
			all = append(all, b)
			b, inside = block{}, false
		case marked:
			b.fence, b.line, inside = strings.TrimSpace(fence), n+2, true
		case inside:
			b.text += line + "\n"
		default:
			b.prose += line + "\n"
		}
	}
	return all
}

// commandsOf are a block's command lines, continued ones joined, as they are run here.
func (b block) commandsOf() (lines []string) {
	for _, line := range strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
		line = strings.TrimSpace(line)
		skipped := line == "" || strings.HasPrefix(line, "#")
		for _, word := range []string{"go test", "go install", "go build"} {
			skipped = skipped || strings.HasPrefix(line, word)
		}
		if !skipped {
			lines = append(lines, strings.ReplaceAll(line, "go run .", "rowbatch"))
		}
	}
	return lines
}

// reader is somebody who pastes the README's commands, one after the other,
// into a shell in a fresh clone.
type reader struct {
	dir      string
	settings []string // of the environment
}

func (r reader) run(t *testing.T, line string) (output string, status int) {
	t.Helper()
	c := exec.Command("sh", "-c", line)
	c.Dir = r.dir
	c.Env = append(environment(), append(r.settings, "ROWBATCH_SANDBOX_DIR="+filepath.Join(r.dir, "sandbox"), "XDG_CONFIG_HOME="+filepath.Join(r.dir, "config"))...)
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// TestReadme runs every command of the README. A command ends with 0, or with 3
// where a sample holds bad rows; with any other status only if the prose before
// its block says so.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatalf("the module has no README.md to check: %v", err)
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell to paste commands into")
	}
	r := reader{t.TempDir(), []string{"FUSEBILL_API_KEY=", "FUSEBILL_URL="}}
	if err := copySamples(r.dir); err != nil {
		t.Fatal(err)
	}
	first := "" // output of the first command, until it has been compared
	ran := 0
	for _, b := range blocks(strings.ReplaceAll(string(page), "\r\n", "\n")) {
		if b.fence == "text" && first != "" {
			if diff := cmp.Diff(steady(b.text), steady(first)); diff != "" {
				t.Errorf("README.md:%d: the output shown is not the real one (-shown +real):\n%s", b.line, diff)
			}
			first = ""
		}
		if b.fence != "sh" {
			continue
		}
		statuses := r.runBlock(t, b, func(output string) {
			if ran++; ran == 1 {
				first = output
			}
		})
		if said := regexp.MustCompile(`exits with (\d+)`).FindStringSubmatch(b.prose); said != nil && !statuses[said[1]] {
			t.Errorf("README.md:%d: no command here exits with %s", b.line, said[1])
		}
	}
	if ran < 3 || first != "" {
		t.Errorf("%d commands in blocks marked sh, and the first one's output is shown: %t", ran, first == "")
	}
}

// runBlock runs a block's commands and returns the statuses they end with.
func (r reader) runBlock(t *testing.T, b block, each func(output string)) map[string]bool {
	t.Helper()
	statuses := map[string]bool{}
	for _, line := range b.commandsOf() {
		output, status := r.run(t, line)
		statuses[strconv.Itoa(status)] = true
		if status != 0 && status != 3 && !strings.Contains(b.prose, "exits with "+strconv.Itoa(status)) {
			t.Errorf("README.md:%d: %s\nexits with %d:\n%s", b.line, line, status, output)
		}
		each(output)
	}
	return statuses
}

// steady replaces what differs from run to run: the run's id and durations.
func steady(output string) string {
	output = regexp.MustCompile(`\d{8}T\d{6}Z`).ReplaceAllString(output, "TIME")
	return regexp.MustCompile(`\bin [0-9.]+ (s|min)\b`).ReplaceAllString(strings.TrimSpace(output), "in DURATION")
}

// TestHelpPages runs every command line of the pages that rowbatch help prints, in
// their order: those that are indented, those aside that go on until Ctrl-C. A file
// edits.csv is there, and an account that is a sandbox.
func TestHelpPages(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell to paste commands into")
	}
	names, err := filepath.Glob("help/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	help, _ := (reader{t.TempDir(), nil}).run(t, "rowbatch help")
	for _, name := range names {
		page := strings.TrimSuffix(filepath.Base(name), ".txt")
		if !strings.Contains(help, "\n  "+page+" ") {
			t.Errorf("rowbatch help does not name the page %s", page)
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed()})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(box)
			t.Cleanup(server.Close)
			r := reader{t.TempDir(), settingsFor(server.URL)}
			text, failed := os.ReadFile(name)
			edits, err := os.ReadFile("../../samples/customers.csv")
			err = errors.Join(failed, err, copySamples(r.dir), os.WriteFile(filepath.Join(r.dir, "edits.csv"), edits, 0o600))
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range strings.Split(string(text), "\n") {
				if len([]rune(line)) > 100 {
					t.Errorf("%s:%d: over 100 columns", name, n+1)
				}
				if !strings.HasPrefix(line, "  rowbatch ") && !strings.HasPrefix(line, "  cp ") || strings.HasSuffix(line, "# until Ctrl-C") {
					continue
				}
				if output, status := r.run(t, strings.TrimSpace(line)); status != 0 && status != 3 {
					t.Errorf("%s:%d:%s\nexits with %d:\n%s", name, n+1, line, status, output)
				}
			}
		})
	}
}
