package cli

import (
	"context"
	"fmt"
)

// startPhase is startProgress for a phase that makes requests: what they take is
// said first, if that is long, once the account's limits are known.
func (r *run) startPhase(what string, total int, done func() int, d demand) func() {
	if r.console.quiet {
		return func() {}
	}
	known, cancel := context.WithCancel(r.stop)
	end := r.startProgress(what, total, done, r.foretell(known, what, d))
	return func() {
		cancel()
		end()
	}
}

// foretell gives the line that says what a phase takes, if it is worth one. Nobody
// knows the limits before the first answer.
func (r *run) foretell(until context.Context, what string, d demand) <-chan string {
	line := make(chan string, 1)
	if d.requests() == 0 {
		return line
	}
	go func() {
		if d.fusebill > 0 && r.services.Fusebill.Governor.Met(until) != nil {
			return
		}
		if f := r.foresee(d); f.worthSaying() && until.Err() == nil {
			line <- fmt.Sprintf("rowbatch: %s takes %s", what, f)
		}
	}()
	return line
}
