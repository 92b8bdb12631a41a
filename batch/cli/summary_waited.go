package cli

import (
	"maps"
	"slices"
	"strings"
	"time"

	"rowbatch/client/governor"
	"rowbatch/reports"
)

// waited is for how many seconds limits and outages held the run up, for each reason.
func (s *services) waited() map[string]float64 {
	waited := map[string]float64{}
	for _, g := range s.governors {
		for why, d := range g.Waited() {
			if seconds := millis(d); seconds > 0 {
				waited[string(why)] = rounded(waited[string(why)] + seconds)
			}
		}
	}
	return waited
}

// inAll adds up what was waited for.
func inAll(waited map[string]float64) (all float64) {
	for _, why := range slices.Sorted(maps.Keys(waited)) {
		all += waited[why]
	}
	return rounded(all)
}

// together adds the waits of two processes of a run.
func together(now, before map[string]float64) map[string]float64 {
	sum := maps.Clone(now)
	for why, seconds := range before {
		sum[why] = rounded(sum[why] + seconds)
	}
	return sum
}

// waitedText ends the sentence about a run's time; "" when there was hardly any waiting.
func waitedText(s reports.Summary) string {
	if s.WaitedSeconds < 1 {
		return ""
	}
	words := map[governor.Reason]string{
		governor.MinuteLimit: "for the minute's limit", governor.DayLimit: "for the day's limit",
		governor.ServerPause: "because the server asked for a pause", governor.Outage: "for the server to answer",
	}
	var spent, parts []string
	for _, why := range governor.Reasons() {
		if d := duration(s.Waited[string(why)]); d >= time.Second {
			spent, parts = append(spent, seconds(d)), append(parts, words[why])
		}
	}
	all := ", of which " + seconds(duration(s.WaitedSeconds)) + " waiting"
	if len(parts) == 1 {
		return all + " " + parts[0]
	}
	for i := range parts {
		parts[i] = spent[i] + " " + parts[i]
	}
	if len(parts) == 0 { // a little for each
		return all
	}
	return all + ": " + strings.Join(parts, ", ")
}
