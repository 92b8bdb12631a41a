package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"rowbatch/client/governor"
	"rowbatch/client/sandbox"
)

func at(day, hour, minute, second int) time.Time {
	return time.Date(2026, 11, day, hour, minute, second, 0, time.Local)
}

// foretold is a forecast of a Saturday afternoon.
func foretold(requests int, takes time.Duration, perMinute float64) forecast {
	return forecast{Forecast: governor.Forecast{Takes: takes, PerMinute: perMinute, Today: 162_000}, begins: at(21, 14, 28, 40), requests: requests}
}

func (f forecast) stopping(stops, renewed time.Time, ending string) forecast {
	f.Stops, f.Renewed, f.ending = stops, renewed, ending
	return f
}

func TestForecastText(t *testing.T) {
	bound := foretold(2000, 80*time.Second, 900)
	bound.atMost = true
	const stops = "it stops at %s, and goes on from %s"
	for want, f := range map[string]forecast{
		"0 requests": foretold(0, 0, 900),
		"5 requests, less than a minute: done by 14:29":                        foretold(5, 20*time.Second, 900),
		"5 requests, less than a minute: done by 14:30":                        foretold(5, 21*time.Second, 900),
		"at most 2,000 requests, about 80 s at 900 a minute: done by 14:30":    bound,
		"2,412 requests, about 3 min at 900 a minute: done by 14:32":           foretold(2412, 200*time.Second, 900),
		"20 requests, about 10 h 0 min at 2 an hour: done by Sun 22 Nov 00:29": foretold(20, 10*time.Hour, 1./30),
		"20 requests, about 8784 h 0 min at 2 an hour: not done within a year": foretold(20, governor.Farthest, 1./30),
		"250,000 requests, done by Tue 24 Nov 09:12: today's allowance (162,000) does not suffice; it stops at 17:02, and goes on from Tue 24 Nov 01:00": foretold(
			250_000, at(24, 9, 12, 0).Sub(at(21, 14, 28, 40)), 900).stopping(at(21, 17, 1, 10), at(24, 1, 0, 0), stops),
	} {
		if got := f.String(); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}

func TestForecastInTheSummary(t *testing.T) {
	begins := time.Date(2026, 11, 21, 14, 28, 40, 0, time.UTC)
	f := forecast{Forecast: governor.Forecast{Takes: 200 * time.Second, PerMinute: 900, Today: -1}, begins: begins, requests: 2412}
	short := f
	short.Today, short.Stops, short.Renewed = 0, begins, begins.Add(time.Hour)
	for want, f := range map[string]forecast{
		`{"requests":2412,"at_most":false,"seconds":200,"finish":"2026-11-21T14:32:00Z","per_minute":900,"enough_today":true}`:                                                                                 f,
		`{"requests":2412,"at_most":false,"seconds":200,"finish":"2026-11-21T14:32:00Z","per_minute":900,"enough_today":false,"left_today":0,"stops":"2026-11-21T14:28:40Z","renewed":"2026-11-21T15:28:40Z"}`: short,
	} {
		got, err := json.Marshal(f.record())
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}

func TestWaitingTellsItsDay(t *testing.T) {
	now := at(21, 14, 28, 40)
	for want, c := range map[string]struct {
		reason governor.Reason
		until  time.Time
	}{
		"waiting for the account's limit until 14:29:00":                                       {governor.MinuteLimit, at(21, 14, 29, 0)},
		"the server asks for a pause until 14:29:00":                                           {governor.ServerPause, at(21, 14, 29, 0)},
		"the day's requests are used up; waiting for the next day's until Sun 22 Nov 01:00:00": {governor.DayLimit, at(22, 1, 0, 0)},
	} {
		if got := waitingFor(c.reason, c.until, now); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}

// Whoever is asked knows how long it takes, and whether the day's requests suffice.
func TestQuestionForetells(t *testing.T) {
	box := openBox(t, sandbox.Options{Day: 40})
	rows := "id,firstName\n"
	for n := range 25 {
		rows += fmt.Sprintf("%d,Name%d\n", 987001+n, n)
	}
	shown, err := askedOf(t, box, jobOf("update"), fileOf(t, rows), (*run).carryOut, typing("no\n"), func(*actionFlags) {})
	if exitOf(err) != exitUsage {
		t.Fatal(err)
	}
	for _, want := range []string{"Cost       53 requests, done by ", "today's allowance (11) does not suffice; it stops at ", "by rowbatch resume"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is missing in:\n%s", want, shown)
		}
	}
}

// Who carries a plan out is asked before anything is read: where it matters, one
// request finds out the limits.
func TestQuestionOfAPlanForetells(t *testing.T) {
	for customers, want := range map[int]struct {
		gets int
		cost string
	}{
		60: {61, " at 64 a minute: done by "},
		20: {20, "less than a minute"},
	} {
		box := openBox(t, sandbox.Options{Minute: 72, Customers: 100})
		rows := "id,firstName\n"
		for _, id := range box.IDs()[:customers] {
			rows += id + ",Zed\n"
		}
		reports := t.TempDir()
		_, err := askedOf(t, box, jobOf("update"), fileOf(t, rows), (*run).carryOut, typing(""), func(f *actionFlags) {
			f.reports, f.dryRun, f.lookup = reports, true, lookupEach
		})
		if err != nil && exitOf(err) != exitRows {
			t.Fatal(err)
		}
		apply := func(r *run) error { return r.applyPlan(last) }
		shown, err := askedOf(t, box, jobOf(mixedName), "", apply, typing("no\n"), func(f *actionFlags) { f.reports = reports })
		if gets := box.Requests().Kinds["get"]; exitOf(err) != exitUsage || gets != want.gets || !strings.Contains(shown, want.cost) {
			t.Errorf("%v; %d reads, and %q is to be in:\n%s", err, gets, want.cost, shown)
		}
	}
}

// A customer's later rows are looked at again, once the ones before them are sent.
func TestQuestionForetellsAllRequests(t *testing.T) {
	box := openBox(t, sandbox.Options{})
	rows := fileOf(t, "id,firstName\n987001,Hugh\n987001,Hugh\n987002,Ola\n")
	shown, err := askedOf(t, box, jobOf("update"), rows, (*run).carryOut, typing("yes\n"), func(f *actionFlags) { f.allowDuplicates = true })
	if err != nil {
		t.Fatal(err)
	}
	made := box.Requests()
	if want := fmt.Sprintf("Cost       %d requests,", made.Reads+made.Writes-3); made.Writes != 2 || !strings.Contains(shown, want) {
		t.Errorf("%+v, and %q is to be in:\n%s", made, want, shown)
	}
}
