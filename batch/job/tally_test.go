package job

import (
	"errors"
	"fmt"
	"testing"

	"rowbatch/batch"
)

func TestFailureLimits(t *testing.T) {
	for _, c := range []struct {
		limit, rows string // f: failed, r: rejected by the server, o: rejected offline, .: as it should be
		listed      bool   // every other row needs nothing, by the customer list
		stops       int    // after so many; 0: never
		why         string
	}{
		{"", "fffffffff.", false, 0, ""},
		{"", "ffffffffff", false, 10, "10 rows in a row failed"},
		{"", "frfrfrfrfr", false, 10, "10 rows in a row failed"},
		{"", "fffffffff.fffffffff.", false, 0, ""},
		{"", "fffffooooooooooffff.", false, 0, ""},
		{"", "fffffffffffffff", true, 0, ""},
		{"", "f....f....f....f....f....f....f....f....f....f....f....", false, 51, "11 of 51 rows failed"},
		{"3", "f.f.f", false, 5, "3 of 5 rows failed"},
		{"3", "ffoof", false, 5, "3 of 3 rows failed"},
		{"40%", "ffffffffffffffff..................................", false, 0, ""},
		{"4%", "fff...............................................f", false, 51, "4 of 51 rows failed"},
		{"8%", "fff...............................................f", false, 0, ""},
	} {
		var limit FailureLimit
		if err := limit.UnmarshalText([]byte(c.limit)); err != nil {
			t.Fatal(err)
		}
		if text, err := limit.MarshalText(); string(text) != c.limit || err != nil {
			t.Errorf("%q comes back as %q, %v", c.limit, text, err)
		}
		tally, stops, why := newTally(limit), 0, ""
		if c.listed {
			tally.listed(func(n int) bool { return n%2 == 1 })
		}
		for n, row := range c.rows {
			o := map[rune]batch.Outcome{'f': {Kind: batch.Failed, Requests: 2}, 'r': {Kind: batch.Rejected, Requests: 1},
				'o': {Kind: batch.Rejected}, '.': {Kind: batch.Changed, Requests: 2}}[row]
			at := n
			if c.listed {
				at = 2 * n
			}
			if err := tally.add(&batch.Item{N: at}, o, true); err != nil {
				stops, why = n+1, err.Error()
				break
			}
		}
		if stops != c.stops || why != c.why {
			t.Errorf("%q, %s: %d, %q; want %d, %q", c.limit, c.rows, stops, why, c.stops, c.why)
		}
	}
	for _, text := range []string{"0", "-1", "x", "5.5", "101%", "%", "1e3"} {
		var f *batch.Fault
		if err := new(FailureLimit).UnmarshalText([]byte(text)); !errors.As(err, &f) || f.Code != batch.ExitUsage || f.Try == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a survey has found is counted once: it is forgotten when the rows come again.
func TestTheSurveyIsNotCountedTwice(t *testing.T) {
	tally := newTally(FailureLimit{Count: 3})
	settled := func(kind batch.Kind, final bool) {
		if err := tally.add(&batch.Item{}, batch.Outcome{Kind: kind, Requests: 1}, final); err != nil {
			t.Fatal(err)
		}
	}
	settled(batch.Rejected, true)
	settled(batch.Failed, false)
	tally.forgetSurvey()
	settled(batch.Failed, true)
	if got := fmt.Sprint(tally.counts(), tally.count()); got != "map[failed:1 rejected:1] 2" {
		t.Errorf("%s", got)
	}
}
