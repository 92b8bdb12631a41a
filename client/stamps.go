package client

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// quota is what a reply says about one window (developer.staxbill.com/reference/rate-limits).
type quota struct {
	limit, left int
	reset       time.Time // by the server's clock
}

// readQuota reads the three headers of a window, "Minute" or "Day". ok is false
// without a usable limit and remainder.
func readQuota(h http.Header, suffix string, length time.Duration, date time.Time) (q quota, ok bool) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(strings.TrimSpace(h.Get("X-Rate-Limit-" + name + "-" + suffix)))
		return n, err == nil && n >= 0
	}
	limit, okLimit := number("Limit")
	left, okLeft := number("Remaining")
	if !okLimit || !okLeft || limit == 0 {
		return quota{}, false
	}
	stamp, _ := readStamp(h.Get("X-Rate-Limit-Reset-"+suffix), date)
	return quota{limit, min(left, limit), believed(stamp, date, length)}, true
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

// stampLayouts are the ways in which an API of this kind writes a time; those
// without a zone mean UTC, as all its timestamps do. Fractions are read with each.
func stampLayouts() []string {
	return []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "1/2/2006 3:04:05 PM"}
}

// readStamp reads a point in time, whose form the vendor does not document: a
// date, Unix seconds or milliseconds, or seconds to go from now.
func readStamp(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return readNumber(n, now)
	}
	for _, layout := range stampLayouts() {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	t, err := http.ParseTime(text)
	return t.UTC(), err == nil
}

// readNumber tells the numeric forms apart by their size: seconds to go stay
// under a year, Unix seconds reach milliseconds' range in thousands of years.
func readNumber(n float64, now time.Time) (time.Time, bool) {
	switch {
	case math.IsNaN(n), n < 0, n > 1e14:
		return time.Time{}, false
	case n < 366*24*3600:
		return now.Add(time.Duration(n * float64(time.Second))), true
	case n < 1e11:
		return time.UnixMilli(int64(n * 1000)).UTC(), true
	}
	return time.UnixMilli(int64(n)).UTC(), true
}

const longestPause = time.Hour

// retryAfter reads how long the server asks to be left alone; 0: it does not.
func retryAfter(h http.Header, date time.Time) time.Duration {
	until, ok := readStamp(h.Get("Retry-After"), date)
	if !ok {
		return 0
	}
	return min(max(0, until.Sub(date)), longestPause)
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
