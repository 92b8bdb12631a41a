package cli

import (
	"sync"
	"sync/atomic"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
)

// lookUp asks for all that must be known before the first row is decided: the
// account's names of tracking codes, and the ids behind references, so that
// nothing is addressed by a reference once writing has begun. The error is the
// journal's; what else keeps it from ending stops the run.
func (r *run) lookUp() error {
	if r.rows.count() == 0 {
		return nil
	}
	l := &action.Lookup{Fusebill: r.api.Client, Patience: client.PatienceFor(r.account.url), Workers: r.flags.workers}
	codes, requests, err := l.Codes(r.stop, r.in.checked.Codes())
	r.rows.codes = codes
	r.lookups += requests
	if err != nil {
		r.halt(err)
		return nil
	}
	if !r.rows.keyedByReference() {
		return nil
	}
	return r.lookUpReferences(l)
}

func (r *run) lookUpReferences(l *action.Lookup) error {
	var done atomic.Int64
	defer r.startProgress("looking up references", r.rows.count(), func() int { return int(done.Load()) })()
	engine := r.engine(false)
	var one sync.Mutex // rows are settled one at a time
	var failed error
	err := l.References(r.stop, r.rows.references(), func(n int, f action.Found) {
		one.Lock()
		defer one.Unlock()
		done.Add(1)
		r.lookups += f.Requests
		r.rows.found(n, f)
		if f.Out == nil || failed != nil {
			return
		}
		it := &batch.Item{N: n, Key: action.Key("reference", f.Reference), Spent: f.Requests, Out: f.Out}
		if failed = engine.Conclude(it, *f.Out); failed != nil {
			r.halt(failed) // nothing more is asked for once the journal cannot be written
		}
	})
	if err != nil {
		r.halt(err)
	}
	r.rows.findCircles()
	return failed
}
