package governor

import (
	"errors"
	"testing"
	"time"
)

// Replies come in another order than the requests left. What counts is the latter:
// five that got lost since the last one that was answered.
func TestAnOutageIsToldByTheOrderOfSending(t *testing.T) {
	start := time.Now()
	tests := map[string]struct {
		sent string // + answered, - lost; in the order in which their ends are learned
		at   []int  // seconds at which each left
		want bool
	}{
		"five lost":                  {"-----", []int{1, 2, 3, 4, 5}, true},
		"four lost":                  {"----", []int{1, 2, 3, 4}, false},
		"an answer from before":      {"-----+", []int{1, 2, 3, 4, 5, 0}, true},
		"an answer from the middle":  {"-----+", []int{1, 2, 3, 5, 6, 4}, false},
		"an answer from after":       {"-----+", []int{1, 2, 3, 4, 5, 6}, false},
		"losses from before":         {"+-----", []int{6, 1, 2, 3, 4, 5}, false},
		"losses on both its sides":   {"-+-----", []int{1, 2, 3, 4, 5, 6, 7}, true},
		"too few of them since then": {"---+---", []int{1, 2, 3, 4, 5, 6, 7}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Limits{}).state
			for i, end := range tt.sent {
				l := &Lease{}
				s.leave(l)
				o := Observation{Ending: Answered, Counted: true, Sent: start.Add(time.Duration(tt.at[i]) * time.Second)}
				if end == '-' {
					o.Ending, o.Err = Unanswered, errors.New("reset")
				}
				o.Received = start.Add(10 * time.Second)
				s.end(l, o, s.read(o), o.Received)
			}
			if got := s.outage(); got != tt.want {
				t.Errorf("outage: %v, want %v", got, tt.want)
			}
			if paused := start.Add(10 * time.Second).Before(s.until); paused != tt.want {
				t.Errorf("a pause: %v, want %v", paused, tt.want)
			}
		})
	}
}
