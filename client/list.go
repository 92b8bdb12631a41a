package client

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// listSize is how many customers are asked for at a time: the server's cap is
// nowhere below it (developer.staxbill.com/reference/pagination).
const listSize = 1000

// listOrder keeps the pages from overlapping: new customers come last, and no
// edit moves one. The id would do as well, but the customers page does not list
// it among the fields that can be filtered, and so sorted
// (developer.staxbill.com/reference/sorting).
const listOrder = "createdTimestamp"

// Listing reads a list of customers, page by page. One goroutine uses it.
//
// Once the first page has told how many follow, several of these are asked for side by
// side, and taken in their order.
//
// It relies on X-Count at most: how many pages there are the vendor's pages tell in
// two ways (X-MaxPageIndex), and a server may send fewer rows a page than asked for.
type Listing struct {
	fusebill   *Fusebill
	mostSpoilt int
	terms      string
	order      string
	page       int // the next one
	first      int // rows of the first page
	read       int // rows so far
	count      int // X-Count of the last page; -1: unknown
	ended      bool
	shifted    bool
	lost       bool // given up before its end
	unnamed    bool // a row did not show whether it has a reference
	nobodys    int  // rows without an id
	watch      orderWatch
	last       [2]uint64 // first and last id of the page before

	workers int          // requests at a time, once the first page has told how many follow
	heavy   int          // bytes of the first page
	ahead   []chan Reply // the next pages, in their order, asked for already
}

// ListPage is a page of the list, or what a search found.
type ListPage struct {
	Rows []ListRow // none: the list has ended
	At   time.Time // when it came
}

// ListRow is a customer as the list shows it, which may be a short form of the record.
type ListRow struct {
	ID        uint64
	Reference string // "" for none
	Nameless  bool   // whether it has a reference the row does not show
	Raw       json.RawMessage
}

// Shows returns what the row shows of a field by which customers are named; not ok is what
// it does not show.
func (r ListRow) Shows(field string) (value string, ok bool) {
	if field == "reference" {
		return r.Reference, !r.Nameless
	}
	f := gjson.GetBytes(r.Raw, field)
	return identifier(f), f.Exists()
}

// listRow reads a row; one without an id is nobody's.
func listRow(row gjson.Result) ListRow {
	f := gjson.GetMany(row.Raw, "id", "reference")
	id, err := strconv.ParseUint(identifier(f[0]), 10, 64)
	if !row.IsObject() || err != nil {
		return ListRow{}
	}
	return ListRow{ID: id, Reference: identifier(f[1]), Nameless: !f[1].Exists(), Raw: json.RawMessage(row.Raw)}
}

// Next asks for the next page, patiently. An Answered reply with a page without
// rows is the end; any other reply ends the list early.
func (l *Listing) Next(ctx context.Context) (ListPage, Reply) {
	if l.ended {
		return ListPage{}, Reply{Class: Answered}
	}
	defer func() {
		if l.ended {
			l.Close()
		}
	}()
	rep := l.next(ctx)
	if rep.Class == Refused && l.page == 0 && !EndsRun(rep.Err) {
		l.order = "" // a server that does not sort may list all the same
		rep = l.next(ctx)
	}
	if rep.Class == Answered {
		return l.take(rep), rep
	}
	l.ended = true
	if l.reached() && !EndsRun(rep.Err) && ctx.Err() == nil {
		l.shifted = l.shifted || rep.Class != Refused // who refuses a page behind the last one has ended the list in his own way
		return ListPage{}, Reply{Class: Answered}
	}
	l.shifted = true
	return ListPage{}, rep
}

const (
	spoiltInOrder = 2 // first pages in their order that the server may fail over
	triesBeyond   = 2 // attempts at a page with which nothing is expected
)

// Close waits for the pages that are asked for already, and ends the list.
func (l *Listing) Close() {
	for _, page := range l.ahead {
		<-page
	}
	l.ended, l.ahead = true, nil
}

// mostAhead bounds the bytes of the pages that are asked for side by side.
const mostAhead = 32 << 20

// next returns the next page. Of those that follow the first as many are asked for as
// there are workers, but none beyond the last that the count makes likely: whether one
// follows that, the pages before it tell.
func (l *Listing) next(ctx context.Context) Reply {
	if l.page == 0 || l.workers < 2 {
		return l.ask(ctx, l.page, l.reached())
	}
	for n := l.page + len(l.ahead); n < l.Pages() && len(l.ahead) < min(l.workers, 1+mostAhead/max(1, l.heavy)); n++ {
		page := make(chan Reply, 1)
		go func() { page <- l.ask(ctx, n, false) }()
		l.ahead = append(l.ahead, page)
	}
	if len(l.ahead) == 0 {
		return l.ask(ctx, l.page, l.reached())
	}
	rep := <-l.ahead[0]
	l.ahead = l.ahead[1:]
	return rep
}

// ask asks for a page. A first page that the server twice fails over, though it
// answers, is asked for without an order: it may be that which it fails over. Beyond
// the last customer nothing is expected.
func (l *Listing) ask(ctx context.Context, page int, beyond bool) Reply {
	p, spoilt := l.fusebill.patience, 0
	if beyond {
		p.Tries = min(p.Tries, triesBeyond)
	}
	return p.repeat(ctx, l.mostSpoilt, func() Reply {
		rep := l.fusebill.Customers(ctx, nil, Query{Terms: l.terms, Page: page, Size: listSize, Order: l.order})
		if rep.spoilt() {
			spoilt++
		}
		if page == 0 && spoilt == spoiltInOrder {
			l.order = ""
		}
		return rep
	})
}

// reached reports whether all customers were shown, by the server's count: the next
// page is only asked for to make sure.
func (l *Listing) reached() bool { return l.page > 0 && l.count >= 0 && l.read >= l.count }

// take takes a page apart, and learns from it what it says about the whole. A row
// without an id is nobody's, and leaves the list incomplete.
func (l *Listing) take(rep Reply) ListPage {
	p := ListPage{At: rep.Received}
	gjson.ParseBytes(rep.Body).ForEach(func(_, row gjson.Result) bool {
		r := listRow(row)
		if r.ID == 0 {
			l.shifted = true
			if row.IsObject() {
				l.nobodys++
			}
			return true
		}
		l.unnamed = l.unnamed || r.Nameless
		p.Rows = append(p.Rows, r)
		l.watch.add(r.ID, row.Get(listOrder).String())
		return true
	})
	rows, count := len(p.Rows), number(rep.Header, "X-Count")
	if l.count > count { // somebody went, and whoever came after him moved up a page
		l.shifted = true
	}
	l.count = count
	l.read += rows
	last := count >= 0 && l.read >= count && !l.goesOn(rows, rep.Header)
	if l.page == 0 {
		l.first, l.heavy = rows, len(rep.Body)
	}
	l.page++
	if l.ended = last || rows == 0; l.ended {
		return p
	}
	before := l.last
	l.last = [2]uint64{p.Rows[0].ID, p.Rows[rows-1].ID}
	if l.last == before { // the server does not turn pages
		l.ended, l.lost = true, l.read-rows < count
	} else if !l.watch.distinct() && (count < 0 || l.read > 2*(count+listSize)) {
		l.ended, l.shifted, l.lost = true, true, true
	}
	return p
}

// goesOn reports whether another page may follow one with which the count is reached,
// which may be wrong: the server says so, or says nothing and the page is full.
func (l *Listing) goesOn(rows int, h http.Header) bool {
	switch {
	case h.Get("X-NextPage") != "":
		return number(h, "X-NextPage") > l.page
	case l.page == 0:
		return rows >= listSize || rows > l.count
	}
	return rows >= l.first
}

// number reads a header; -1: it is missing or no number.
func number(h http.Header, name string) int {
	n, err := strconv.Atoi(h.Get(name))
	if err != nil {
		return -1
	}
	return n
}

// Count is how many customers there are by the last page's word; -1: it has none.
func (l *Listing) Count() int { return l.count }

// Pages is how many requests the whole list takes, as the first page shows it;
// 0: that cannot be told.
func (l *Listing) Pages() int {
	switch {
	case l.count < 0 || l.first == 0 && l.count > 0:
		return 0
	case l.first == 0:
		return 1
	}
	return max(1, (l.count+l.first-1)/l.first)
}

// Lost reports whether the list was given up while customers may follow: the server does
// not turn its pages, or nothing says when they would end.
func (l *Listing) Lost() bool { return l.lost }

// Nobodys is how many rows had no id: they stand for customers who are not in the pages.
func (l *Listing) Nobodys() int { return l.nobodys }

// CompleteByReference reports whether the list is [Listing.Complete], and each row
// showed its customer's reference, or that there is none. Only then does it say
// anything about who does not bear a reference.
func (l *Listing) CompleteByReference() bool { return l.Complete() && !l.unnamed }

// Complete reports whether the list has ended, and showed each customer once: nothing
// moved while it was read. Only then does it say anything about who is not in it.
func (l *Listing) Complete() bool {
	return l.ended && !l.shifted && l.watch.distinct() && l.read == l.count
}

// mostTogether bounds the ids kept of customers who were created at the same moment.
const mostTogether = 10_000

// orderWatch finds out whether a list shows a customer twice, without remembering
// who was in it: in a list that ascends, by id or by time of creation, nobody
// does. Of those created at one moment it keeps the ids until the next one.
type orderWatch struct {
	byID, byTime bool
	id           uint64
	time         string
	together     map[uint64]bool
}

// add takes note of the next customer; created may be empty where the list does not show it.
func (w *orderWatch) add(id uint64, created string) {
	w.byID = w.byID && id > w.id
	w.id = id
	created = strings.TrimSuffix(created, "Z") // without it the stamps' texts sort as their times do
	if w.byTime = w.byTime && created != "" && created >= w.time; !w.byTime {
		w.together = nil
		return
	}
	if created > w.time {
		w.time = created
		clear(w.together)
	}
	w.byTime = !w.together[id] && len(w.together) < mostTogether
	w.together[id] = true
}

// distinct reports whether nobody was shown twice, as far as can be told.
func (w *orderWatch) distinct() bool { return w.byID || w.byTime }
