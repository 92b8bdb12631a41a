package cli

import (
	"fmt"

	"rowbatch/batch/action"
	"rowbatch/client"
)

// The ways in which current records are found (--lookup).
const (
	lookupAuto = "auto"
	lookupList = "list" // page through the customer list
	lookupEach = "each" // one request a row
)

// fewRows is up to how many rows are looked up one by one without asking how long the list is.
const fewRows = 50

// spoiltPages is how often the server may fail over a page of the list before the
// run goes on without.
const spoiltPages = 4

// parseLookup wants one of the three ways.
func (f *actionFlags) parseLookup() error {
	switch f.lookup {
	case "", lookupAuto, lookupList, lookupEach:
		return nil
	}
	return usage("--lookup auto", "--lookup is auto, list or each, not %q", f.lookup)
}

// lookups are what the customer list may spare: reads of customers, and searches by reference.
type lookups struct{ reads, searches int }

// lookups counts them. Under a condition a list row is no evidence, and spares searches only.
func (r *run) countLookups() (n lookups) {
	for i := range r.in.checked.Rows {
		switch {
		case !r.rows.isOpen(i) || !r.rows.isFusebill(i):
		case r.in.checked.KeyField(i) == "reference" && r.rows.ids[i] == 0:
			n.searches++
		case r.flags.when == "":
			n.reads++
		}
	}
	return n
}

// isOpen says that the row's customer may have to be looked at.
func (r *rows) isOpen(n int) bool {
	return r.sendable(n) && r.open(n) && !r.in.checked.AsExported(n)
}

func (r *rows) isFusebill(n int) bool {
	name := r.in.checked.Action(n)
	return name != "" && r.job.spec(name).Schema.System == action.SystemFusebill
}

// may says that the list is worth its first page.
func (n lookups) may(how string) bool {
	switch how {
	case lookupEach:
		return false
	case lookupList:
		return n.reads+n.searches > 0
	}
	return n.reads+n.searches > fewRows
}

// worth says that the list costs less than it may spare. A read is spared only
// where nothing changes, which a tenth of the rows is taken for; a search always.
func (n lookups) worth(how string, pages int) bool {
	if how == lookupList {
		return true
	}
	return pages > 0 && (10*pages <= n.reads || pages < n.searches)
}

// lookUpInList pages through the customer list where that costs less than asking
// for each customer. It returns nil where it does not.
func (r *run) lookUpInList(l *action.Lookup) (*listLookup, error) {
	n, how := r.countLookups(), r.flags.lookup
	if !n.may(how) || r.stopped() {
		return nil, nil
	}
	list := l.Fusebill.List("", spoiltPages)
	page, rep := list.Next(r.stop)
	switch {
	case client.EndsRun(rep.Err):
		r.halt(rep.Err)
		return nil, nil
	case rep.Class != client.Answered:
		r.notice("the customer list cannot be read (%v); customers are asked for one by one", rep.Err)
		return nil, nil
	case !n.worth(how, list.Pages()):
		return nil, nil
	}
	look, err := r.newListLookup(n.searches > 0)
	if err != nil {
		return nil, err
	}
	defer r.startPhase("reading the customer list", list.Count(), look.count, demand{fusebill: list.Pages() - 1, together: 1})()
	for len(page.Rows) > 0 && rep.Class == client.Answered {
		if err := look.take(page); err != nil {
			r.halt(err)
			return look, err
		}
		page, rep = list.Next(r.stop)
	}
	switch {
	case client.EndsRun(rep.Err):
		r.halt(rep.Err)
	case rep.Class != client.Answered && !r.stopped():
		r.notice("the customer list broke off (%v); whom it did not show is asked for", rep.Err)
	}
	look.index = nil // it has served: what follows needs the room
	look.complete = list.CompleteByReference() && !r.stopped()
	return look, nil
}

// notice tells something that is no trouble.
func (r *run) notice(format string, args ...any) {
	if !r.console.quiet {
		fmt.Fprintf(r.console.err, "rowbatch: "+format+"\n", args...)
	}
}
