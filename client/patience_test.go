package client

import (
	"context"
	"rowbatch/client/governor"
	"testing"
	"testing/synctest"
	"time"
)

func patientWith(url string) *Account { return &Account{patience: PatienceFor(url)} }

func TestPatiently(t *testing.T) {
	lost := Reply{Class: Lost, Err: &LostError{Text: "no answer"}}
	day := Reply{Class: Unsent, Err: &governor.DayLimitError{}}
	tests := []struct {
		name    string
		url     string
		replies []Reply // the last is repeated
		calls   int
		want    Class
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"at once", "https://example.com", []Reply{{}}, 1, Answered, 0, 0},
		{"refused", "https://example.com", []Reply{{Class: Refused}}, 1, Refused, 0, 0},
		{"no access", "https://example.com", []Reply{{Class: NoAccess}}, 1, NoAccess, 0, 0},
		{"day's limit", "https://example.com", []Reply{day}, 1, Unsent, 0, 0},
		{"third", "https://example.com", []Reply{lost, {Class: Throttled}, {}}, 3, Answered, 18 * time.Second, 18 * time.Second},
		{"never", "https://example.com", []Reply{lost}, 8, Lost, 10 * time.Minute, 12 * time.Minute},
		{"never, on loopback", "http://127.0.0.1:1", []Reply{lost}, 8, Lost, 3 * time.Second, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, calls := time.Now(), 0
				rep := patientWith(tt.url).Patiently(t.Context(), func() Reply {
					calls++
					return tt.replies[min(calls, len(tt.replies))-1]
				})
				if took := time.Since(begun); rep.Class != tt.want || calls != tt.calls || took < tt.atLeast || took > tt.atMost {
					t.Errorf("%s after %d calls and %s", rep.Class, calls, took)
				}
			})
		})
	}
	t.Run("stopped", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		rep := patientWith("https://example.com").Patiently(ctx, func() Reply { stop(); return lost })
		if rep.Class != Lost {
			t.Errorf("%+v", rep)
		}
	})
}
