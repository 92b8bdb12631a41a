package cli

import (
	"fmt"
	"strconv"
	"time"
)

// plural counts things: 1 row, 1,200 rows.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(n) + " " + thing
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// millis is a duration in seconds, to the millisecond.
func millis(d time.Duration) float64 { return float64(d.Round(time.Millisecond).Milliseconds()) / 1000 }

func rounded(seconds float64) float64 { return millis(duration(seconds)) }

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

// seconds writes a duration as a person says it: 0.4 s, 12 s, 3 min, 2 h 5 min.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
