package cli_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"rowbatch/batch/cli"
)

// TestMain makes the test binary serve as the rowbatch command too, so that scripts and
// tests run the program in processes of its own, and benchmarks their server and load
// generator. The locks of accounts are in a folder of the tests' own: each has an account of
// its own, and they would fill that of whoever runs them.
func TestMain(m *testing.M) {
	commands := map[string]func(){
		"rowbatch":    func() { os.Exit(cli.Main(os.Args[1:])) },
		"benchserver": serveBench,
		"benchload":   makeLoad,
	}
	all := tests{M: m}
	if commands[strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")] == nil { // else its environment is its caller's
		var err error
		if all.cache, err = os.MkdirTemp("", "rowbatch-tests-"); err == nil {
			err = errors.Join(os.Setenv("XDG_CACHE_HOME", all.cache), setParallel())
		}
		if err != nil {
			panic(err)
		}
	}
	testscript.Main(all, commands)
}

// tests tidy up behind themselves.
type tests struct {
	*testing.M
	cache string
}

func (t tests) Run() int {
	code := t.M.Run()
	if err := os.RemoveAll(t.cache); err != nil {
		panic(err)
	}
	return code
}

// setParallel lets three times as many tests run at once as there are cores, unless -parallel
// says otherwise: most of them wait for processes, disks and pauses. With the race detector
// they are busy themselves.
func setParallel() error {
	each := 3
	if underRace {
		each = 2
	}
	return flag.Set("test.parallel", strconv.Itoa(each*runtime.GOMAXPROCS(0)))
}

// raceSetting keeps a program built with -race from sleeping a second at its end, which
// adds up over hundreds of processes. A race found still ends it with 66.
func raceSetting() (name, value string) { return "GORACE", "atexit_sleep_ms=10" }

// environment is that of a program which tests start.
func environment() []string {
	name, value := raceSetting()
	return append(os.Environ(), name+"="+value)
}

func exitCode(t *testing.T, c *exec.Cmd, err error) int {
	t.Helper()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

// settingsFor point a program at a server.
func settingsFor(url string) []string {
	return []string{"FUSEBILL_URL=" + url + "/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94",
		"TRACKFINITY_URL=" + url + "/api", "TRACKFINITY_API_KEY=sandbox-key", "TRACKFINITY_API_USERNAME=admin"}
}

// The exit codes of runs in which something goes wrong.
const (
	exitDone    = 0
	exitRows    = 3
	exitDoubt   = 4
	exitStopped = 5
	exitFiles   = 15
)

const samplesDir = "../../samples"

// copySamples puts the example files into a folder samples of dir.
func copySamples(dir string) error {
	to := filepath.Join(dir, "samples")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(to, "unattended"), os.DirFS(filepath.Join(samplesDir, "unattended"))); err != nil {
		return err
	}
	for _, pattern := range []string{"*.csv", "*.yaml"} {
		names, err := filepath.Glob(filepath.Join(samplesDir, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
