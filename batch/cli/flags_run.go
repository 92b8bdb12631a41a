package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"
)

const defaultReports = "reports"

// runFlags are what a user sets of any run, be it of a file, a plan, or what an
// earlier one left.
type runFlags struct {
	rate        []string
	reserve     string
	workers     int
	maxFailures string
	timeout     time.Duration
	reports     string
	yes         bool
	expect      int
	wait        bool
	lockWait    time.Duration
	json        bool
	quiet       bool
	verbose     bool
	logFormat   string

	set        []setFlag // in the order of the help
	workersSet bool

	// parsed from the texts above
	rates        map[string]rate.Limit // requests a second, by system
	reserveShare float64
	failures     failureLimit
}

func (f *runFlags) register(cmd *cobra.Command, j job) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringArrayVar(&f.rate, "rate", nil, rateHelp(j))
	s.StringVar(&f.reserve, "reserve", "10%", "share `P%` of the account's limit left to its other users")
	f.registerWorkers(s, j)
	s.StringVar(&f.maxFailures, "max-failures", "", "stop early after `N` failures or P% (default: 10 in a row, or 20% after 50 rows)")
	s.DurationVar(&f.timeout, "timeout", 30*time.Second, "longest wait for one answer")
	s.StringVar(&f.reports, "reports", defaultReports, "folder `DIR` where run folders go")
	s.BoolVar(&f.yes, "yes", false, "do not ask before the first write")
	s.IntVar(&f.expect, "expect", -1, "send nothing unless `N` rows will be sent")
	s.BoolVar(&f.wait, "wait", false, "at the day's limit wait for its reset instead of stopping")
	s.DurationVar(&f.lockWait, "lock-wait", 0, "wait so long for another run of this account to end")
	s.BoolVar(&f.json, "json", false, "print the summary as one JSON object")
	s.BoolVar(&f.quiet, "quiet", false, "no progress and no notices")
	s.BoolVar(&f.verbose, "verbose", false, "show each request")
	s.StringVar(&f.logFormat, "log-format", "text", "`text` or json, for --verbose")
	s.Lookup("expect").DefValue = "0" // help shows no default then
}

// parse checks the flags that cobra takes as mere text.
func (f *runFlags) parse(cmd *cobra.Command, j job) error {
	f.remember(cmd.Flags())
	f.workersSet = cmd.Flags().Changed("workers")
	for _, check := range []func() error{func() error { return f.parseRates(j) }, f.parseReserve, f.parseFailures} {
		if err := check(); err != nil {
			return err
		}
	}
	switch {
	case f.workers < 1 || f.workers > 256:
		return usage("--workers 8", "--workers must be between 1 and 256, not %d", f.workers)
	case f.timeout < time.Millisecond:
		return usage("--timeout 30s", "--timeout must be longer than a millisecond")
	case f.lockWait < 0:
		return usage("--lock-wait 5m", "--lock-wait cannot be negative")
	case cmd.Flags().Changed("expect") && f.expect < 0:
		return usage("--expect 12", "--expect cannot be negative")
	case f.logFormat != "text" && f.logFormat != "json":
		return usage("--log-format json", "--log-format is text or json, not %q", f.logFormat)
	case f.quiet && f.verbose:
		return usage("", "--quiet and --verbose exclude each other")
	}
	return nil
}

func (f *runFlags) parseReserve() error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(f.reserve, "%"), 64)
	if err != nil || !(n >= 0 && n < 100) {
		return usage("--reserve 10%", "--reserve %q is not a share between 0%% and 99%%", f.reserve)
	}
	f.reserveShare = n / 100
	return nil
}
