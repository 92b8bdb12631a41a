package governor

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Ending says what the end of a request tells of the server's well-being.
type Ending int

const (
	Nothing    Ending = iota // nothing: it was the caller who ended it, or it was not to leave
	Answered                 // the server is there
	Throttled                // it answered 429
	Unanswered               // it gave no usable answer, or was not reached
)

// Observation is what became of one request, as far as the limits go.
type Observation struct {
	Ending         Ending
	Counted        bool        // the server may have counted it, even if its headers do not tell
	Header         http.Header // of the reply; nil: none came
	Sent, Received time.Time
	Err            error // why it is Unanswered
}

// facts are what a reply says about the account's limits.
type facts struct {
	date   time.Time     // when it was written by the server's clock, or received by ours
	dated  bool          // it was the former
	wish   time.Duration // to be left alone so long; 0: none
	quotas [2]quota      // of the state's windows
	told   [2]bool
}

// bare reports whether a reply tells nothing.
func (f facts) bare() bool { return f.told == [2]bool{} && f.wish == 0 }

// quota is what a reply says about one window (developer.staxbill.com/reference/rate-limits).
type quota struct {
	limit, left int
	reset       time.Time // by the server's clock
}

// limitHeaders are the names of a window's three headers, "Minute" or "Day".
func limitHeaders(window string) [3]string {
	return [3]string{"X-Rate-Limit-Limit-" + window, "X-Rate-Limit-Remaining-" + window, "X-Rate-Limit-Reset-" + window}
}

// readQuota reads the headers of a window. ok is false without a usable limit and
// remainder.
func readQuota(h http.Header, names [3]string, length time.Duration, date time.Time) (q quota, ok bool) {
	number := func(name string) (int, bool) {
		text := h.Get(name)
		if text == "" { // an error's value is costly
			return 0, false
		}
		n, err := strconv.Atoi(strings.TrimSpace(text))
		return n, err == nil
	}
	limit, okLimit := number(names[0])
	left, okLeft := number(names[1])
	if !okLimit || !okLeft || limit <= 0 {
		return quota{}, false
	}
	stamp, _ := readStamp(h.Get(names[2]), date)
	return quota{limit, min(max(0, left), limit), believed(stamp, date, length)}, true // below nothing is nothing
}

const slack = 2 * time.Second // whole-second stamps, and the way from handling to sending

// believed returns the reset, or where that cannot be true of a window of this
// length (a local time without its zone, an unread form), a time after which
// asking again harms nobody.
func believed(reset, date time.Time, length time.Duration) time.Time {
	if reset.Before(date.Add(-slack)) || reset.After(date.Add(length+slack)) {
		return date.Add(min(length, time.Hour))
	}
	return reset
}

// readStamp reads a point in time, whose form the vendor does not document: a
// date, Unix seconds or milliseconds, or seconds to go from now. The numeric forms
// differ by their size: seconds to go stay under a year, Unix seconds reach
// milliseconds' range in thousands of years.
func readStamp(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, false
	}
	if strings.ContainsAny(text, ":,") { // no number
		return readDate(text)
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return readDate(text)
	case math.IsNaN(n), n < 0, n > 1e14:
		return time.Time{}, false
	case n < 366*24*3600:
		return now.Add(time.Duration(n * float64(time.Second))), true
	case n < 1e11:
		return time.UnixMilli(int64(n * 1000)).UTC(), true
	}
	return time.UnixMilli(int64(n)).UTC(), true
}

// readDate tries the ways in which an API of this kind writes a time; those
// without a zone mean UTC, as all its timestamps do. Fractions are read with each.
func readDate(text string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "1/2/2006 3:04:05 PM",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	t, err := http.ParseTime(text)
	return t.UTC(), err == nil
}

// skew bounds how far the server's clock is ahead of ours. A reply's Date is cut
// to a second and was written between our sending and our receiving.
type skew struct {
	lo, hi time.Duration
	known  bool
}

// narrow takes a reply's Date into account; when it contradicts what was known, a
// clock has been set, and only the reply counts.
func (s skew) narrow(date, sent, received time.Time) skew {
	one := skew{date.Sub(received), date.Add(time.Second).Sub(sent), true}
	both := skew{max(s.lo, one.lo), min(s.hi, one.hi), true}
	if !s.known || both.lo > both.hi {
		return one
	}
	return both
}
