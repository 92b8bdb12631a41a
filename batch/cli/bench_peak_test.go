package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// carriedOut runs a command to its end, and returns the peak of its resident bytes; 0
// where there is no /proc. The operating system's account of a child is no use: it
// starts with the memory of the parent.
func carriedOut(c *exec.Cmd) (peak int, err error) {
	if err := c.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			peak = max(peak, highWater(c.Process.Pid))
		case err := <-ended:
			return peak, err
		}
	}
}

// highWater is the most that a process has had resident so far, in bytes; 0 when it is gone.
func highWater(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kB, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return kB << 10
}
