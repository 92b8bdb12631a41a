package cli

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/time/rate"

	"rowbatch/mapping"
)

// actionFlags are what a user sets of a run.
type actionFlags struct {
	mapFile         string
	match           []string
	ignore          []string
	dryRun          bool
	sandbox         bool
	rate            string
	reserve         string
	workers         int
	limit           int
	maxFailures     string
	strict          bool
	allowDuplicates bool
	delimiter       string
	encoding        string
	timeout         time.Duration
	reports         string
	yes             bool
	expect          int
	wait            bool
	json            bool
	quiet           bool
	verbose         bool
	logFormat       string

	set []setFlag // in the order of the help

	// parsed from the texts above
	ratePerSecond rate.Limit
	reserveShare  float64
	separator     rune
	matches       map[string]string
	failures      failureLimit
}

func (f *actionFlags) register(cmd *cobra.Command) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&f.mapFile, "map", "", "mapping `FILE` (default: headings are field names; see rowbatch help mapping)")
	s.StringArrayVar(&f.match, "match", nil, "guard `COL=field`: the live record must have the cell's value in that field (repeatable)")
	s.StringArrayVar(&f.ignore, "ignore", nil, "leave the column `COL` out (repeatable)")
	s.BoolVar(&f.dryRun, "dry-run", false, "read the live records, show what would change, write nothing")
	s.BoolVar(&f.sandbox, "sandbox", false, "use the embedded stand-in; its state outlives the command")
	s.StringVar(&f.rate, "rate", "", "most requests, as `N/s` or N/m (default: the account's own limit)")
	s.StringVar(&f.reserve, "reserve", "10%", "share `P%` of the account's limit left to its other users")
	s.IntVar(&f.workers, "workers", 8, "requests in flight")
	s.IntVar(&f.limit, "limit", 0, "only the first `N` data rows (default: all)")
	s.StringVar(&f.maxFailures, "max-failures", "", "stop early after `N` failures or P% (default: 10 in a row, or 20% after 50 rows)")
	s.BoolVar(&f.strict, "strict", false, "refuse the whole file when a check rejects any row")
	s.BoolVar(&f.allowDuplicates, "allow-duplicates", false, "a customer may stand in several rows; they run in file order")
	s.StringVar(&f.delimiter, "delimiter", "", "`CHAR` between cells: , ; tab or | (default: detected)")
	s.StringVar(&f.encoding, "encoding", "", "`NAME` of the file's encoding, such as windows-1252 (default: detected)")
	s.DurationVar(&f.timeout, "timeout", 30*time.Second, "longest wait for one answer")
	s.StringVar(&f.reports, "reports", "reports", "folder `DIR` where run folders go")
	s.BoolVar(&f.yes, "yes", false, "do not ask before the first write")
	s.IntVar(&f.expect, "expect", -1, "send nothing unless `N` rows will be sent")
	s.BoolVar(&f.wait, "wait", false, "at the day's limit wait for its reset instead of stopping")
	s.BoolVar(&f.json, "json", false, "print the summary as one JSON object")
	s.BoolVar(&f.quiet, "quiet", false, "no progress and no notices")
	s.BoolVar(&f.verbose, "verbose", false, "show each request")
	s.StringVar(&f.logFormat, "log-format", "text", "`text` or json, for --verbose")
	s.Lookup("expect").DefValue = "0" // help shows no default then
}

// setFlag is a flag that the user has set, as words of a command line.
type setFlag struct {
	name  string
	words []string
}

// remember keeps the flags as they were set, for the command that the summary ends with.
func (f *actionFlags) remember(set *pflag.FlagSet) {
	set.Visit(func(flag *pflag.Flag) {
		name := "--" + flag.Name
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		s := setFlag{name: flag.Name}
		for _, value := range values {
			switch {
			case flag.NoOptDefVal == "":
				s.words = append(s.words, name, quoteWord(value))
			case value == flag.NoOptDefVal:
				s.words = append(s.words, name)
			}
		}
		f.set = append(f.set, s)
	})
}

// parse checks the flags that cobra takes as mere text.
func (f *actionFlags) parse(cmd *cobra.Command) error {
	f.remember(cmd.Flags())
	checks := []func() error{f.parseRate, f.parseReserve, f.parseDelimiter, f.parseEncoding, f.parseMatch, f.parseFailures}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	switch {
	case f.workers < 1 || f.workers > 256:
		return usage("--workers 8", "--workers must be between 1 and 256, not %d", f.workers)
	case f.timeout < time.Millisecond:
		return usage("--timeout 30s", "--timeout must be longer than a millisecond")
	case cmd.Flags().Changed("limit") && f.limit < 1:
		return usage("--limit 10", "--limit must be at least 1")
	case cmd.Flags().Changed("expect") && f.expect < 0:
		return usage("--expect 12", "--expect cannot be negative")
	case f.logFormat != "text" && f.logFormat != "json":
		return usage("--log-format json", "--log-format is text or json, not %q", f.logFormat)
	case f.quiet && f.verbose:
		return usage("", "--quiet and --verbose exclude each other")
	}
	return nil
}

func (f *actionFlags) parseRate() error {
	if f.rate == "" {
		return nil
	}
	count, unit, _ := strings.Cut(f.rate, "/")
	n, err := strconv.ParseFloat(count, 64)
	seconds := map[string]float64{"s": 1, "m": 60}[unit]
	if err != nil || !(n > 0) || math.IsInf(n, 1) || seconds == 0 {
		return usage("--rate 5/s, or --rate 300/m", "--rate %q is not a number of requests a second or a minute", f.rate)
	}
	f.ratePerSecond = rate.Limit(n / seconds)
	return nil
}

func (f *actionFlags) parseReserve() error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(f.reserve, "%"), 64)
	if err != nil || !(n >= 0 && n < 100) {
		return usage("--reserve 10%", "--reserve %q is not a share between 0%% and 99%%", f.reserve)
	}
	f.reserveShare = n / 100
	return nil
}

func (f *actionFlags) parseDelimiter() error {
	switch f.delimiter {
	case "":
		return nil
	case "tab", `\t`:
		f.separator = '\t'
		return nil
	}
	r, size := utf8.DecodeRuneInString(f.delimiter)
	if size != len(f.delimiter) || strings.ContainsRune("\"\r\n\uFFFD", r) {
		return usage(`--delimiter ";"`, "--delimiter %q is not one character", f.delimiter)
	}
	f.separator = r
	return nil
}

func (f *actionFlags) parseEncoding() error {
	if f.encoding == "" {
		return nil
	}
	if err := mapping.CheckEncoding(f.encoding); err != nil {
		return &fault{code: exitUsage, text: err.Error()}
	}
	return nil
}

func (f *actionFlags) parseMatch() error {
	f.matches = map[string]string{}
	for _, m := range f.match {
		at := strings.LastIndex(m, "=") // a heading may hold one, a field's name does not
		if at < 1 || at == len(m)-1 {
			return usage("--match Company=companyName", "--match %q is not of the form COL=field", m)
		}
		if _, twice := f.matches[m[:at]]; twice {
			return usage("a column of its own for each guard", "--match names the column %q twice", m[:at])
		}
		f.matches[m[:at]] = m[at+1:]
	}
	return nil
}
