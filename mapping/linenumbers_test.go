package mapping

import (
	"testing"

	"pgregory.net/rapid"
)

func TestLineNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := rapid.OneOf(rapid.IntRange(1, 2), rapid.IntRange(farAway-1, farAway+1), rapid.IntRange(-5, 1_000_000))
		var l lineNumbers
		var want []int
		line := 0
		for range rapid.IntRange(1, 3*stride).Draw(t, "rows") {
			line += step.Draw(t, "step")
			l.add(line)
			want = append(want, line)
		}
		for n := range want {
			if got := l.at(n); got != want[n] {
				t.Fatalf("row %d starts at line %d, and not %d", n, want[n], got)
			}
		}
	})
}
