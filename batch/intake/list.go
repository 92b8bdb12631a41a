package intake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"rowbatch/batch"
	"rowbatch/client"
)

// spoiltPages is how often the server may fail over a page of the list before the
// run goes on without.
const spoiltPages = 4

// Progress is told how a look-up gets on. Its methods may be called by several goroutines.
type Progress interface {
	// Notice tells something that is no trouble, with a code for programs.
	Notice(code, text string)
	// Detail tells something that is shown with each request only.
	Detail(text string)
	// Phase begins to show how many of total are done, at the cost of so many
	// requests, until end is called.
	Phase(name string, total int, done func() int, requests int) (end func())
}

// Lister finds current records, many for one request: by the customer list, or by
// searches for sets of ids.
type Lister struct {
	Stop     context.Context
	Fusebill *client.Fusebill
	How      string // auto, list, ids or each
	Workers  int    // requests at a time
	NoList   bool   // the list is of no use
	Progress

	list    *client.Listing // begun, once its first page was asked for
	first   client.ListPage // of it
	pages   int             // of the list, as Ways has it
	trusted bool            // a first set was answered as it should be,
	lied    bool            // or was not
}

// Way chooses how to find what is needed, at the cost of the list's first page where
// that must be known. The error is why no further request makes sense.
func (l *Lister) Way(n Need) (way string, err error) {
	why := ""
	if l.NoList {
		l.pages = unreadable
	}
	for l.Stop.Err() == nil {
		way, why = n.way(Ways{How: l.How, Pages: l.pages, NoSets: l.lied})
		if way != LookupList || l.list != nil {
			l.Detail("lookup: " + way + ", since " + why)
			return way, nil
		}
		var rep client.Reply
		l.list = l.Fusebill.List("", spoiltPages, l.Workers)
		l.first, rep = l.list.Next(l.Stop)
		switch l.pages = l.list.Pages(); {
		case client.EndsRun(rep.Err):
			return LookupEach, rep.Err
		case l.Stop.Err() != nil:
		case rep.Class != client.Answered:
			l.pages = unreadable
			next, _ := n.way(Ways{How: l.How, Pages: l.pages, NoSets: l.lied})
			l.Notice("list_unreadable", fmt.Sprintf("the customer list cannot be read (%v); %s", rep.Err, map[string]string{
				LookupEach: "customers are asked for one by one", LookupIDs: "customers are asked for in sets of ids"}[next]))
		case l.pages == 0:
			l.pages = untold
		}
	}
	return LookupEach, nil
}

// Pages yields the pages of a list until it has ended; the last may be empty. After a
// reply that is not [client.Answered], which has no page, comes nothing more.
func (l *Lister) Pages(list *client.Listing) iter.Seq2[client.ListPage, client.Reply] {
	return func(yield func(client.ListPage, client.Reply) bool) {
		defer list.Close()
		for {
			page, rep := list.Next(l.Stop)
			if !yield(page, rep) || rep.Class != client.Answered || len(page.Rows) == 0 {
				return
			}
		}
	}
}

// Take is given each customer who was found, and when his row came.
type Take func(c client.ListRow, at time.Time) error

// Begin is given the first customers, and returns nil if such rows are of no use.
type Begin func(first client.ListPage) (Take, error)

// Walk reads the list, whose first page [Lister.Way] has read. Complete means that it
// showed each customer and his reference once, so that whoever was not in it is
// nowhere. The error is begin's, take's, or why no further request makes sense; a list
// that breaks off is none.
func (l *Lister) Walk(begin Begin) (complete bool, err error) {
	defer l.list.Close()
	take, err := begin(l.first)
	if take == nil || err != nil {
		return false, err
	}
	var seen atomic.Int64
	defer l.Phase("reading the customer list", l.list.Count(), func() int { return int(seen.Load()) }, l.list.Pages()-1)()
	page := l.first
	for {
		for _, c := range page.Rows {
			if l.Stop.Err() != nil {
				return false, nil
			}
			if err := take(c, page.At); err != nil {
				return false, err
			}
			seen.Add(1)
		}
		if len(page.Rows) == 0 {
			return l.list.CompleteByReference() && l.Stop.Err() == nil, nil
		}
		var rep client.Reply
		if page, rep = l.list.Next(l.Stop); rep.Class == client.Answered {
			continue
		}
		if client.EndsRun(rep.Err) {
			return false, rep.Err
		}
		if l.Stop.Err() == nil {
			l.Notice("list_broke_off", fmt.Sprintf("the customer list broke off (%v); whom it did not show is asked for", rep.Err))
		}
		return false, nil
	}
}

// mostSets bounds the sets that are asked for side by side: their rows wait in memory.
const mostSets = 32

// found is what a search for a set of ids came to.
type found struct {
	ids []uint64
	client.Set
	client.Reply
}

// ByID asks for customers in sets of their ids, several at a time, and hands each who is
// found to what begin returns, in the order of the sets. No search is taken at its
// word: until a first set was answered as it should be, it goes alone. done is false where
// it was not, so that another way is to be chosen. The error is begin's, take's, or
// why no further request makes sense.
func (l *Lister) ByID(ids iter.Seq[uint64], total int, begin Begin) (done bool, err error) {
	if l.lied {
		return false, nil
	}
	var take Take
	var seen atomic.Int64
	next, stop := iter.Pull(l.Fusebill.Sets(ids))
	defer stop()
	var asked []chan found
	defer func() {
		for _, f := range asked {
			<-f
		}
	}()
	for l.Stop.Err() == nil {
		for len(asked) < min(l.Workers, mostSets) && (l.trusted || len(asked) == 0) {
			set, more := next()
			if !more {
				break
			}
			answer := make(chan found, 1)
			go func() {
				s, rep := l.Fusebill.FindByIDs(l.Stop, set)
				answer <- found{set, s, rep}
			}()
			asked = append(asked, answer)
		}
		if len(asked) == 0 {
			break
		}
		f := <-asked[0]
		asked = asked[1:]
		switch fault, err := l.doubt(f); {
		case err != nil || l.Stop.Err() != nil:
			return true, err
		case fault != "" && !l.trusted:
			l.lied = true
			l.Notice("search_refused", "customers cannot be searched for by id: "+strings.TrimSuffix(fault, ".")+"; another way is taken")
			return false, nil
		case fault != "":
			l.lied = true
			l.Notice("search_broke_off", "the search for customers by id broke off: "+fault+"; whom it did not show is asked for")
			return true, nil
		}
		l.trusted = true
		if take == nil {
			if take, err = begin(f.ListPage); take == nil || err != nil {
				return true, err
			}
			defer l.Phase("looking customers up by id", total, func() int { return int(seen.Load()) }, SetsOf(total)-1)()
		}
		for _, c := range f.Rows {
			if err := take(c, f.At); err != nil {
				return true, err
			}
		}
		seen.Add(int64(len(f.ids)))
	}
	return true, nil
}

// mostProbes is how many whom a first set leaves out are asked for singly.
const mostProbes = 2

// doubt says what speaks against the answer to a search. Whom a first set leaves out
// must be gone: one who is there shows that the search is not to be relied on.
func (l *Lister) doubt(f found) (fault string, err error) {
	if f.Class != client.Answered || l.trusted {
		if client.EndsRun(f.Err) {
			err = f.Err
		}
		if answer := (*client.RecordError)(nil); errors.As(f.Err, &answer) {
			fault = answer.Text
		} else if f.Err != nil {
			fault = f.Err.Error()
		}
		return fault, err
	}
	for _, id := range f.Missing[:min(mostProbes, len(f.Missing))] {
		rep := l.Fusebill.Patiently(l.Stop, func() client.Reply { return l.Fusebill.Customer(l.Stop, nil, spelled(id)) })
		switch {
		case client.EndsRun(rep.Err):
			return "", rep.Err
		case rep.Class == client.Answered:
			return fmt.Sprintf("of %s the server left out customer %d, who is there", batch.Plural(len(f.ids), "customer"), id), nil
		case rep.Class != client.Refused || rep.Status != http.StatusNotFound:
			return fmt.Sprintf("of %s the server left out customer %d, and does not say why (%v)",
				batch.Plural(len(f.ids), "customer"), id, rep.Err), nil
		}
	}
	return "", nil
}
