package governor

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// What a visit of two requests costs in the governor, with many callers at once.
func BenchmarkGovernor(b *testing.B) {
	for name, headers := range map[string]bool{"known limits": true, "without headers": false} {
		b.Run(name, func(b *testing.B) {
			h := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}
			for _, w := range []string{"Minute", "Day"} {
				h.Set("X-Rate-Limit-Limit-"+w, strconv.Itoa(1<<40))
				h.Set("X-Rate-Limit-Remaining-"+w, strconv.Itoa(1<<39))
				h.Set("X-Rate-Limit-Reset-"+w, time.Now().Add(time.Minute).UTC().Format(time.RFC3339))
			}
			g := New(Limits{Reserve: 0.10, Rate: 1e12})
			if !headers {
				h = http.Header{}
			}
			const callers = 16
			b.ReportAllocs()
			b.ResetTimer()
			var done sync.WaitGroup
			for caller := range callers {
				done.Go(func() {
					for n := caller; n < b.N; n += callers {
						l, err := g.Lease(b.Context(), 2)
						if err != nil {
							b.Error(err)
							return
						}
						for range 2 {
							now := time.Now()
							if err := l.Start(b.Context()); err != nil {
								b.Error(err)
							}
							l.End(Observation{Ending: Answered, Counted: true, Header: h, Sent: now, Received: now})
						}
						l.Close()
					}
				})
			}
			done.Wait()
		})
	}
}
