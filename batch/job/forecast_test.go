package job

import (
	"encoding/json"
	"testing"
	"time"

	"rowbatch/client/governor"
)

func TestForecastInTheSummary(t *testing.T) {
	begins := time.Date(2026, 11, 21, 14, 28, 40, 0, time.UTC)
	f := Forecast{Forecast: governor.Forecast{Takes: 200 * time.Second, PerMinute: 900, Today: -1}, Begins: begins, Requests: 2412}
	short := f
	short.Today, short.Stops, short.Renewed = 0, begins, begins.Add(time.Hour)
	for want, f := range map[string]Forecast{
		`{"requests":2412,"at_most":false,"seconds":200,"finish":"2026-11-21T14:32:00Z","per_minute":900,"enough_today":true}`:                                                                                 f,
		`{"requests":2412,"at_most":false,"seconds":200,"finish":"2026-11-21T14:32:00Z","per_minute":900,"enough_today":false,"left_today":0,"stops":"2026-11-21T14:28:40Z","renewed":"2026-11-21T15:28:40Z"}`: short,
	} {
		got, err := json.Marshal(f.record())
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}
