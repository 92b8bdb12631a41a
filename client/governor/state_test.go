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
			a := newAccount(0)
			for i, end := range tt.sent {
				rep := Reply{Class: Answered, Status: 200, Sent: start.Add(time.Duration(tt.at[i]) * time.Second)}
				if end == '-' {
					rep.Class, rep.Status, rep.Err = Lost, 0, errors.New("reset")
				}
				rep.Received = start.Add(10 * time.Second)
				a.settle(uint64(i), rep, a.read(rep), rep.Received)
			}
			if got := a.outage(); got != tt.want {
				t.Errorf("outage: %v, want %v", got, tt.want)
			}
			if shut := start.Add(10 * time.Second).Before(a.until); shut != tt.want {
				t.Errorf("gate shut: %v, want %v", shut, tt.want)
			}
		})
	}
}
