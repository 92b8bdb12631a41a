package cli

import (
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/client"
)

// mostWitnesses is how many customers must be found as they were before another
// key is taken for one of the same account.
const mostWitnesses = 3

// reconnect connects to the systems of an earlier run, and makes sure that the
// accounts are the same.
func (r *run) reconnect(h journal.Head, past *journal.Index, systems ...string) error {
	if err := r.connect(systems); err != nil {
		return err
	}
	then, now := strings.Split(h.Account, ", "), strings.Split(r.services.account(), ", ")
	for _, name := range now {
		if slices.Contains(then, name) {
			continue
		}
		base, _, _ := strings.Cut(name, "#")
		if !slices.ContainsFunc(then, func(n string) bool { return strings.HasPrefix(n, base+"#") }) {
			return unfit("set the URL that the run used", "%s was about %s, and the settings are for %s; nothing was sent", h.ID, withoutKeys(then), base)
		}
		if err := r.knowsAgain(h, past, base); err != nil {
			return err
		}
	}
	return nil
}

// withoutKeys names accounts by their addresses.
func withoutKeys(names []string) string {
	var bases []string
	for _, n := range names {
		base, _, _ := strings.Cut(n, "#")
		bases = append(bases, base)
	}
	return strings.Join(bases, ", ")
}

// knowsAgain accepts another key of the same address only where customers of the
// earlier run are found with the same id, time of creation and currency.
func (r *run) knowsAgain(h journal.Head, past *journal.Index, base string) error {
	witnesses, err := past.Witnesses(mostWitnesses)
	if err != nil {
		return err
	}
	if len(witnesses) == 0 || r.services.Fusebill.Client == nil {
		return unfit("use the key of that run, or run the file anew", "the key for %s is another than that of %s, and nothing tells whether it is the same account; nothing was sent", base, h.ID)
	}
	for _, was := range witnesses {
		is, err := r.customer(was.ID)
		if err != nil {
			return err
		}
		if is.ID != was.ID || unzoned(is.Created) != unzoned(was.Created) || is.Currency != was.Currency {
			return unfit("use a key of the account of that run", "the key for %s belongs to another account than that of %s: customer %s is not the same; nothing was sent", base, h.ID, was.ID)
		}
	}
	return nil
}

// unzoned is a time of creation without the zone letter, which not every reply shows.
func unzoned(stamp string) string { return strings.TrimSuffix(stamp, "Z") }

// customer reads one customer, patiently.
func (r *run) customer(id string) (batch.Record, error) {
	rep := r.services.Fusebill.Client.Patiently(r.stop, func() client.Reply { return r.services.Fusebill.Client.Customer(r.stop, nil, id) })
	switch rep.Class {
	case client.Answered:
		return action.Record(rep.Body), nil
	case client.Refused:
		return batch.Record{}, nil
	}
	return batch.Record{}, rep.Err
}
