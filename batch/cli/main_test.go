package cli_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"rowbatch/batch/cli"
)

// TestMain makes the test binary serve as the rowbatch command too, so that
// scripts and tests run the program in processes of its own, and benchmarks a server and a load.
func TestMain(m *testing.M) {
	if err := manyAtOnce(); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"rowbatch":    func() { os.Exit(cli.Main(os.Args[1:])) },
		"benchserver": serveBench,
		"benchload":   loadBench,
	})
}

// manyAtOnce has twice as many tests go side by side as there are cores, unless
// -parallel says otherwise: most of them wait for processes, disks and pauses.
func manyAtOnce() error {
	return flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
}

// hurried keeps a program built with -race from sleeping a second at its end,
// which hundreds of short processes add up. A race found still ends it with 66.
func hurried() (name, value string) { return "GORACE", "atexit_sleep_ms=10" }

// environment is that of a process which tests start.
func environment() []string {
	name, value := hurried()
	return append(os.Environ(), name+"="+value)
}

func exitCode(t *testing.T, c *exec.Cmd, err error) int {
	t.Helper()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

// The exit codes that a run in bad weather may end with.
const (
	exitDone    = 0
	exitRows    = 3
	exitDoubt   = 4
	exitStopped = 5
)

const exitFiles = 15

const samplesDir = "../../samples"

// copySamples puts the example files into a folder samples of dir.
func copySamples(dir string) error {
	to := filepath.Join(dir, "samples")
	if err := os.MkdirAll(to, 0o755); err != nil {
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
