package runs

import (
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// Spellings are what a server was seen to store in the place of values that were sent
// to it, as the journals of a reports folder tell. It knows hashes only: 8 bytes a
// value, and of the newest values so many that memory has a bound.
type Spellings struct {
	seed  maphash.Seed
	known map[uint64]struct{}
}

const mostSpellings = 200_000

// ReadSpellings reads those of an account, but for the run of one id: of that itself
// its rows tell. Only journals whose end says that they have any, and those without an
// end, are read whole. One that cannot be read tells nothing: whoever does not know
// of a spelling sends the value once more, and is told of it again.
func ReadSpellings(on FS, reports, account, but string) *Spellings {
	s := &Spellings{maphash.MakeSeed(), map[uint64]struct{}{}}
	dirs, err := runDirs(on, reports)
	if err != nil {
		return s
	}
	for _, d := range slices.Backward(dirs) {
		if d.ID() != but && len(s.known) < mostSpellings {
			_ = s.read(d, account)
		}
	}
	return s
}

func (s *Spellings) read(d *Dir, account string) (err error) {
	f, err := d.open(journalName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head, err := journal.ReadHead(f)
	writes := head.Mode != journal.ModeExport && !head.IsDry()
	if err != nil || !writes || !slices.Contains(strings.Split(head.Account, ", "), account) {
		return err
	}
	if end, err := journal.ReadEnd(f, info.Size()); err != nil || end != nil && !end.Respelled {
		return err
	}
	x, err := journal.Load(f, info.Size())
	if err != nil {
		return err
	}
	for n := range x.Head.Rows {
		o, err := x.Outcome(n)
		if err != nil || len(s.known) >= mostSpellings {
			return err
		}
		for _, c := range o.Changes {
			if o.Kind == batch.Failed && c.Stored != batch.Absent {
				s.known[s.hash(o.ID, c.Field, c.After, c.Stored)] = struct{}{}
			}
		}
	}
	return nil
}

// Has reports whether a value was stored where another was sent for a field of a customer.
func (s *Spellings) Has(id, field string, sent, stored batch.Value) bool {
	_, is := s.known[s.hash(id, field, sent, stored)]
	return is
}

func (s *Spellings) hash(id, field string, sent, stored batch.Value) uint64 {
	return maphash.Comparable(s.seed, [4]string{id, field, sent.Plain(), stored.Plain()})
}
