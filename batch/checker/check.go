package checker

import "fmt"

// Case is a run and what it is held against.
type Case struct {
	Run    *Run
	Of     *Run    // the plan of an apply, the run that an undo takes back; nil: neither is checked
	Ledger *Ledger // from the run's beginning on; only the run and others' edits wrote since

	Reported bool // the run's last process came to its end, so that its report files are those of its journal
	Ended    bool // the run was resumed in calm weather until nothing was left
}

// Breaches returns what of the invariants does not hold, as far as the files tell.
func (c Case) Breaches() ([]string, error) {
	k := &check{Case: c}
	k.attribute()
	k.rowsAgree()
	k.contents()
	k.sends()
	k.durable()
	k.order()
	k.noFaultFails()
	k.onlyLooks()
	k.earlier()
	if c.Ended {
		k.ended()
	}
	if c.Reported {
		if err := k.reported(); err != nil {
			return nil, err
		}
	}
	return k.all, nil
}

// check gathers breaches.
type check struct {
	Case
	breaches
}

type breaches struct{ all []string }

func (b *breaches) add(invariant int, format string, args ...any) {
	b.all = append(b.all, fmt.Sprintf("%d: ", invariant)+fmt.Sprintf(format, args...))
}
