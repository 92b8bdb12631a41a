package cli

import (
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/time/rate"

	"rowbatch/batch/action"
)

const defaultWorkers = 8

func rateHelp(j job) string {
	switch {
	case j.mixed():
		return "most requests, as `N/s` or N/m, or trackfinity=N/s (default: the account's own limit, Trackfinity 5/s)"
	case j.reaches(action.SystemTrackfinity):
		return "most requests, as `N/s` or N/m (default 5/s)"
	}
	return "most requests, as `N/s` or N/m (default: the account's own limit)"
}

// registerWorkers gives a Trackfinity install one request at a time: it is
// somebody's own server, and no limit of it is documented.
func (f *runFlags) registerWorkers(s *pflag.FlagSet, j job) {
	n, text := defaultWorkers, "requests in flight"
	switch {
	case j.mixed():
		text += "; of Trackfinity 1 unless set"
	case j.reaches(action.SystemTrackfinity):
		n = 1
	}
	s.IntVar(&f.workers, "workers", n, text)
}

// workersOf is how many requests of a system may be in flight.
func (f *runFlags) workersOf(system string) int {
	if system == action.SystemTrackfinity && !f.workersSet {
		return 1
	}
	return f.workers
}

// parseRates takes a bare rate for the job's first system.
func (f *runFlags) parseRates(j job) error {
	f.rates = map[string]rate.Limit{}
	for _, text := range f.rate {
		system, speed, named := strings.Cut(text, "=")
		if !named {
			system, speed = j.specs[0].Schema.System, text
		}
		if system != action.SystemFusebill && system != action.SystemTrackfinity || !j.reaches(system) {
			return usage("--rate 5/s", "--rate %q: %s has nothing to do with %q", text, j.name, system)
		}
		if _, twice := f.rates[system]; twice {
			return usage("one --rate", "--rate is given twice for %s", system)
		}
		n, err := parseRate(speed)
		if err != nil {
			return err
		}
		f.rates[system] = n
	}
	return nil
}

func parseRate(text string) (rate.Limit, error) {
	count, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(count, 64)
	seconds := map[string]float64{"s": 1, "m": 60}[unit]
	if err != nil || !(n > 0) || math.IsInf(n, 1) || seconds == 0 {
		return 0, usage("--rate 5/s, or --rate 300/m", "--rate %q is not a number of requests a second or a minute", text)
	}
	return rate.Limit(n / seconds), nil
}
