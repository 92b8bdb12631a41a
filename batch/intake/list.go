package intake

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"rowbatch/client"
)

// The ways in which current records are found (--lookup).
const (
	LookupAuto = "auto"
	LookupList = "list" // page through the customer list
	LookupEach = "each" // one request a row
)

// FewRows is up to how many rows are looked up one by one without asking how long the list is.
const FewRows = 50

// spoiltPages is how often the server may fail over a page of the list before the
// run goes on without.
const spoiltPages = 4

// Need is what the customer list may spare: reads of customers, and searches by reference.
type Need struct{ Reads, Searches int }

// asks reports whether the list is worth its first page.
func (n Need) asks(how string) bool {
	switch how {
	case LookupEach:
		return false
	case LookupList:
		return n.Reads+n.Searches > 0
	}
	return n.Reads+n.Searches > FewRows
}

// Progress is told how a look-up gets on. Its methods may be called by several goroutines.
type Progress interface {
	// Notice tells something that is no trouble.
	Notice(text string)
	// Phase begins to show how many of total are done, at the cost of so many
	// requests, until end is called.
	Phase(name string, total int, done func() int, requests int) (end func())
}

// Lister reads the customer list.
type Lister struct {
	Stop     context.Context
	Fusebill *client.Fusebill
	How      string // auto, list or each
	Progress
}

// Pages yields the pages of a list until it has ended; the last may be empty. After a
// reply that is not [client.Answered], which has no page, comes nothing more.
func (l Lister) Pages(list *client.Listing) iter.Seq2[client.ListPage, client.Reply] {
	return func(yield func(client.ListPage, client.Reply) bool) {
		for {
			page, rep := list.Next(l.Stop)
			if !yield(page, rep) || rep.Class != client.Answered || len(page.Rows) == 0 {
				return
			}
		}
	}
}

// Take is given each customer of the list, and when his page came.
type Take func(c client.ListRow, at time.Time) error

// Walk reads the list past the rows of a file, where that costs less than asking
// for what is needed. begin is given the first page, and returns nil if the list is of
// no use. Complete means that the list showed each customer and his reference once,
// so that whoever was not in it is nowhere. The error is begin's, take's, or why no
// further request makes sense; a list that breaks off is none.
func (l Lister) Walk(n Need, begin func(first client.ListPage) (Take, error)) (complete bool, err error) {
	if !n.asks(l.How) || l.Stop.Err() != nil {
		return false, nil
	}
	var take Take
	var seen atomic.Int64
	list := l.Fusebill.List("", spoiltPages)
	for page, rep := range l.Pages(list) {
		switch {
		case client.EndsRun(rep.Err):
			return false, rep.Err
		case rep.Class == client.Answered:
		case take == nil:
			l.Notice(fmt.Sprintf("the customer list cannot be read (%v); customers are asked for one by one", rep.Err))
			return false, nil
		case l.Stop.Err() == nil:
			l.Notice(fmt.Sprintf("the customer list broke off (%v); whom it did not show is asked for", rep.Err))
		}
		if take == nil {
			// A read is spared only where nothing changes, which a tenth of the rows is taken for; a search always.
			pages := list.Pages()
			if l.How != LookupList && (pages <= 0 || 10*pages > n.Reads && pages >= n.Searches) {
				return false, nil
			}
			if take, err = begin(page); take == nil || err != nil {
				return false, err
			}
			defer l.Phase("reading the customer list", list.Count(), func() int { return int(seen.Load()) }, pages-1)()
		}
		for _, c := range page.Rows {
			if l.Stop.Err() != nil {
				return false, nil
			}
			if err := take(c, page.At); err != nil {
				return false, err
			}
			seen.Add(1)
		}
	}
	return list.CompleteByReference() && l.Stop.Err() == nil, nil
}
