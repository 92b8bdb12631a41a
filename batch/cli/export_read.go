package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"rowbatch/batch/sheet"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/mapping"
)

// fetched is a customer on its way into the file.
type fetched struct {
	id       string
	line     int    // of FILE
	record   []byte // of the list, or read singly; nil: still to be read
	overview []byte
	problem  *mapping.Problem // why it cannot be exported
}

// pageRows is how many customers of a FILE are read before they are written.
const pageRows = 1000

func (x *export) readCustomers() error {
	if x.file != "" {
		return x.readNamed()
	}
	var done func()
	defer func() {
		if done != nil {
			done()
		}
	}()
	return x.allPages(func(page []fetched, total int) error {
		if done == nil {
			x.announce(page, total)
			done = x.startPhase("exporting", total, x.written, x.pagesDemand(page, total))
		}
		if err := x.complete(page); err != nil {
			return err
		}
		return x.add(page)
	})
}

func (x *export) written() int { return int(x.count.Load()) }

// allPages streams the customers of the query in the list's order. A customer
// that a page repeats from the one before is left out; of one that shifts to
// where it is not seen, the list tells.
func (x *export) allPages(each func(page []fetched, total int) error) error {
	list := x.services.Fusebill.Client.List(x.flags.query, 0)
	before, seen := map[uint64]bool{}, 0
	for first := true; ; first = false {
		page, rep := list.Next(x.stop)
		switch {
		case x.stopped():
			return x.stopCause()
		case rep.Class == client.Refused && !client.EndsRun(rep.Err):
			return x.refused(list, rep.Err)
		case rep.Class != client.Answered:
			return rep.Err
		case list.Lost():
			return errors.New("the server's list of customers does not come to an end")
		case list.Nobodys() > 0:
			return &fault{code: exitStopped, text: "the server's list shows customers without an id, who would be missing; nothing was kept", try: "rowbatch export FILE, with the ids of the customers wanted"}
		}
		var fresh []fetched
		fresh, before = unseen(page.Rows, before)
		seen += len(fresh)
		if len(fresh) > 0 || first {
			if err := each(fresh, max(list.Count(), len(fresh))); err != nil {
				return err
			}
		}
		if len(page.Rows) == 0 {
			x.remarkShift(list, seen)
			return nil
		}
	}
}

// refused tells what a refusal is about: the query, where there is one, and nothing was listed by it yet.
func (x *export) refused(list *client.Listing, err error) error {
	if x.flags.query != "" && list.Count() < 0 {
		return usage("--query 'status:Active'", "the server refused to list customers: %v", err)
	}
	return &fault{code: exitStopped, text: fmt.Sprintf("the server refused to list customers: %v; nothing was kept", err), try: "--verbose, which shows the requests; rowbatch export FILE asks for each customer by itself"}
}

// unseen returns the customers of a page that were not on the one before.
func unseen(rows []client.ListRow, before map[uint64]bool) (page []fetched, ids map[uint64]bool) {
	ids = map[uint64]bool{}
	for _, row := range rows {
		if !before[row.ID] && !ids[row.ID] {
			page = append(page, fetched{id: strconv.FormatUint(row.ID, 10), record: row.Raw})
		}
		ids[row.ID] = true
	}
	return page, ids
}

// remarkShift tells that customers may be missing. A server that does not say how
// many there are leaves that open.
func (x *export) remarkShift(list *client.Listing, seen int) {
	if !list.Complete() && list.Count() >= 0 {
		x.notice("the list changed while it was read: it speaks of %s, and showed %s; some may be missing, whom the same command again may find",
			plural(list.Count(), "customer"), thousands(seen))
	}
}

// announce says what the columns cost beyond the list, once its first page is there.
func (x *export) announce(page []fetched, total int) {
	var lacking []string
	for _, c := range x.columns {
		if c.Overview {
			continue
		}
		for _, f := range page {
			if !c.Carried(f.record) {
				lacking = append(lacking, c.Name)
				x.needed = append(x.needed, c)
				break
			}
		}
	}
	if x.console.quiet {
		return
	}
	if len(lacking) > 0 {
		fmt.Fprintf(x.console.err, "rowbatch: the customer list does not show %s: one request more for each of %s\n", strings.Join(lacking, ", "), plural(total, "customer"))
	}
	if x.showsOverview() {
		fmt.Fprintf(x.console.err, "rowbatch: balances and dates take one request more for each of %s\n", plural(total, "customer"))
	}
}

// complete reads what a page lacks of its customers, several at once.
func (x *export) complete(page []fetched) error {
	overview := x.showsOverview()
	workers, stop := errgroup.WithContext(x.stop)
	workers.SetLimit(x.flags.workers)
	for i := range page {
		f := &page[i]
		if f.problem != nil || stop.Err() != nil || !overview && !x.lacks(f) {
			continue
		}
		workers.Go(func() (err error) {
			if x.lacks(f) {
				f.record, err = x.readInto(stop, f, x.services.Fusebill.Client.Customer)
			}
			if err == nil && overview && f.problem == nil {
				f.overview, err = x.readInto(stop, f, x.services.Fusebill.Client.Overview)
			}
			return err
		})
	}
	err := workers.Wait()
	if err == nil && x.stopped() {
		err = x.stopCause()
	}
	return err
}

// lacks says that a customer's list row does not show all columns.
func (x *export) lacks(f *fetched) bool {
	if f.record == nil {
		return true
	}
	for _, c := range x.needed {
		if !c.Carried(f.record) {
			return true
		}
	}
	return false
}

func (x *export) readInto(stop context.Context, f *fetched, read func(context.Context, *governor.Lease, string) client.Reply) ([]byte, error) {
	rep, err := x.ask(func() client.Reply { return read(stop, nil, f.id) })
	if err == nil && rep.Class == client.Refused {
		code := "http_" + strconv.Itoa(rep.Status)
		if rep.Status == 404 {
			code = "not_found"
		}
		f.problem = &mapping.Problem{Code: code, Text: "customer " + f.id + ": " + rep.Err.Error()}
	}
	return rep.Body, err
}

// ask repeats a request until it is answered or refused.
func (x *export) ask(request func() client.Reply) (client.Reply, error) {
	rep := x.services.Fusebill.Client.Patiently(x.stop, request)
	switch {
	case rep.Class == client.Answered, rep.Class == client.Refused && !client.EndsRun(rep.Err):
		return rep, nil
	case x.stopped():
		return rep, x.stopCause()
	}
	return rep, rep.Err
}

func (x *export) stopCause() error { return context.Cause(x.stop) }

// asExportFailure gives what kept an export from its end the right exit code.
func asExportFailure(err error) error {
	var known *fault
	var name *sheet.NameError
	if errors.As(err, &known) || errors.As(err, &name) || codeOf(err) != exitUsage {
		return err
	}
	if day := (*governor.DayLimitError)(nil); errors.As(err, &day) {
		return &fault{code: exitStopped, text: day.Text() + "; nothing was kept", try: "the same command again after that, or with --wait"}
	}
	return &fault{code: exitStopped, text: err.Error() + "; nothing was kept", try: "the same command again, when the server answers"}
}
