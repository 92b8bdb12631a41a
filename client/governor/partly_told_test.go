package governor_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/client/governor"
)

func without(h http.Header, windows ...string) {
	for name := range h {
		for _, w := range windows {
			if strings.HasPrefix(name, "X-Rate-Limit-") && strings.HasSuffix(name, w) {
				h.Del(name)
			}
		}
	}
}

// Servers that tell only a part of their limits, or not always, or wrongly: whoever
// does not know a limit learns of it by 429s, of which there are few.
func TestLimitsPartlyTold(t *testing.T) {
	for name, spoil := range map[string]func(f *fakeAccount){
		"only the day": func(f *fakeAccount) {
			f.day, f.spoil = 100_000, func(h http.Header, _ bool) { without(h, "Minute") }
		},
		"nothing": func(f *fakeAccount) { f.spoil = func(h http.Header, _ bool) { without(h, "Minute", "Day") } },
		"nothing with a 429": func(f *fakeAccount) {
			f.spoil = func(h http.Header, refused bool) {
				if refused {
					without(h, "Minute", "Day")
				}
			}
		},
		"nothing with a 429, and others take what they want": func(f *fakeAccount) {
			f.others = burst(f.limit/2, 1)
			f.spoil = func(h http.Header, refused bool) {
				if refused {
					without(h, "Minute", "Day")
				}
			}
		},
		"a higher limit than it keeps, and nothing with a 429": func(f *fakeAccount) {
			f.spoil = func(h http.Header, refused bool) {
				h.Set("X-Rate-Limit-Limit-Minute", "1000")
				h.Set("X-Rate-Limit-Remaining-Minute", "900")
				if refused {
					without(h, "Minute", "Day")
				}
			}
		},
		"a few good ones, then nothing": func(f *fakeAccount) {
			f.spoil = func(h http.Header, _ bool) {
				if f.arrived > 30 {
					without(h, "Minute", "Day")
				}
			}
		},
		"less than nothing remains": func(f *fakeAccount) {
			f.spoil = func(h http.Header, _ bool) {
				if h.Get("X-Rate-Limit-Remaining-Minute") == "0" {
					h.Set("X-Rate-Limit-Remaining-Minute", "-3")
				}
			}
		},
		"less than nothing remains for us": func(f *fakeAccount) {
			f.others = evenly(f.limit)
			f.spoil = func(h http.Header, _ bool) {
				if h.Get("X-Rate-Limit-Remaining-Minute") == "0" {
					h.Set("X-Rate-Limit-Remaining-Minute", "-3")
				}
			}
		},
	} {
		for _, limit := range []int{20, 60, 250, 1000} {
			t.Run(fmt.Sprintf("%s/%d", name, limit), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFakeAccount(time.Minute, limit, 1)
					spoil(f)
					fb, g := f.client(t, governor.Limits{Reserve: 0.10})
					requests := max(400, 6*limit)
					took := manyVisits(t, fb, g, 8, requests/2)
					least := time.Duration(float64(requests) / float64(limit) * float64(time.Minute))
					t.Logf("%d of %d requests were throttled (%.2f%%); %.1f of the least time", f.refused, f.arrived, percent(f.refused, f.arrived), float64(took)/float64(least))
					most := 1.0
					if strings.HasPrefix(name, "a higher limit") { // all that were on their way are refused, once or twice
						most = 100 * 16 / float64(f.arrived)
					}
					if percent(f.refused, f.arrived) > max(1, most) {
						t.Errorf("%d of %d requests were throttled", f.refused, f.arrived)
					}
				})
			})
		}
	}
}
