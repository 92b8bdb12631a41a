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

// words are what a reply says about the account's limits.
type words struct {
	date   time.Time // when it was written by the server's clock, or received by ours
	dated  bool      // it was the former
	wish   time.Duration
	quotas [2]quota // of the account's windows
	told   [2]bool
}

// handled is when the reply was written by the server's clock, or by ours where it does not tell.
func handled(rep Reply) (date time.Time, told bool) {
	if date, err := http.ParseTime(rep.Header.Get("Date")); err == nil {
		return date, true
	}
	return rep.Received.Round(0), false
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
		return n, err == nil && n >= 0
	}
	limit, okLimit := number(names[0])
	left, okLeft := number(names[1])
	if !okLimit || !okLeft || limit == 0 {
		return quota{}, false
	}
	stamp, _ := readStamp(h.Get(names[2]), date)
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
	if text == "" {
		return time.Time{}, false
	}
	if strings.ContainsAny(text, ":,") { // no number
		return readDate(text)
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return readNumber(n, now)
	}
	return readDate(text)
}

func readDate(text string) (time.Time, bool) {
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
