package governor

import (
	"testing"
	"time"
)

func TestSteadyClock(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	type step struct{ wall, ran, want time.Duration } // since noon
	const m, h = time.Minute, time.Hour
	tests := map[string][]step{
		"undisturbed":  {{m, m, m}, {2 * m, 2 * m, 2 * m}},
		"set back":     {{m, m, m}, {2*m - h, 2 * m, 2 * m}, {3*m - h, 3 * m, 3 * m}},
		"twice":        {{m - h, m, m}, {2*m - 2*h, 2 * m, 2 * m}},
		"a sleep":      {{m, m, m}, {8 * h, 2 * m, 8 * h}, {8*h + m, 3 * m, 8*h + m}},
		"set forward":  {{h + m, m, h + m}, {h + 2*m, 2 * m, h + 2*m}},
		"and set back": {{h + m, m, h + m}, {2 * m, 2 * m, h + 2*m}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var clock steady
			clock.now(reading{noon, 0})
			for _, s := range steps {
				got := clock.now(reading{noon.Add(s.wall), s.ran})
				if !got.Equal(noon.Add(s.want)) || !clock.shown(got).Equal(noon.Add(s.wall)) {
					t.Errorf("%s, shown as %s; want %s after noon", got, clock.shown(got), s.want)
				}
			}
		})
	}
}
