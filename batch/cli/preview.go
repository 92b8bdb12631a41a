package cli

import (
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/reports"
)

const (
	previewRows  = 20
	previewMails = 100_000 // addresses that are counted, so that memory stays bounded
)

// preview gathers what a pass without sending would change.
type preview struct {
	rows   []previewRow // the first of the file
	fields map[string]*fieldCount
	mails  map[uint64]int // hash of a new primaryEmail → customers that would get it
	seed   maphash.Seed
	shared int    // most customers that would get one new address
	mail   string // that address

	holds   int // customers that would be put on hold
	unholds int // customers that would be taken off hold
	patches int // rows whose old values nobody can read
	stakes  stakes
}

type previewRow struct {
	n             int
	key, customer string
	changes       []batch.Change
	standing      batch.Standing
	currency      string
}

type fieldCount struct{ changed, cleared int }

// does says what happens to the field: changes for 3 customers, is cleared for 1 customer.
func (f *fieldCount) does() string {
	var parts []string
	if n := f.changed - f.cleared; n > 0 {
		parts = append(parts, "changes for "+plural(n, "customer"))
	}
	if f.cleared > 0 {
		parts = append(parts, "is cleared for "+plural(f.cleared, "customer"))
	}
	return strings.Join(parts, ", ")
}

func newPreview() preview {
	return preview{fields: map[string]*fieldCount{}, mails: map[uint64]int{}, seed: maphash.MakeSeed()}
}

func (p *preview) add(it *batch.Item, o batch.Outcome) {
	if o.Kind != batch.WouldChange {
		return
	}
	for _, c := range o.Changes {
		f := p.fields[c.Field]
		if f == nil {
			f = &fieldCount{}
			p.fields[c.Field] = f
		}
		f.changed++
		if c.After.Empty() {
			f.cleared++
		} else if c.Field == "primaryEmail" {
			p.addMail(c.After.Plain())
		}
	}
	p.addAction(it, o)
	p.keep(previewRow{it.N, o.Key, o.Customer, o.Changes, o.Standing, o.Currency})
}

func (p *preview) addAction(it *batch.Item, o batch.Outcome) {
	if it.Action.System() == action.SystemTrackfinity {
		p.patches++
	}
	switch it.Action.Name() {
	case "hold":
		p.holds++
		p.stakes.add(o)
	case "unhold":
		p.unholds++
		p.stakes.add(o)
	}
}

func (p *preview) addMail(mail string) {
	h := maphash.String(p.seed, strings.ToLower(mail))
	if len(p.mails) >= previewMails && p.mails[h] == 0 {
		return
	}
	p.mails[h]++
	if p.mails[h] > p.shared {
		p.shared, p.mail = p.mails[h], mail
	}
}

// keep holds on to the rows that stand first in the file: they are settled in any order.
func (p *preview) keep(r previewRow) {
	at, _ := slices.BinarySearchFunc(p.rows, r, func(a, b previewRow) int { return a.n - b.n })
	p.rows = slices.Insert(p.rows, at, r)
	if len(p.rows) > previewRows {
		p.rows = p.rows[:previewRows]
	}
}

// print shows the first rows, field by field, then what the rows do to each field.
func (p *preview) print(w io.Writer, lineOf func(n int) int, total int) {
	for _, r := range p.rows {
		fmt.Fprintf(w, "line %d  %s  %s\n", lineOf(r.n), reports.Visible(r.key), reports.Visible(r.customer))
		width := 0
		for _, c := range r.changes {
			width = max(width, len(c.Field))
		}
		for _, c := range r.changes {
			fmt.Fprintf(w, "    %-*s  %s → %s\n", width, c.Field, before(c.Before), orEmpty(c.After))
		}
		if r.standing != (batch.Standing{}) {
			fmt.Fprintf(w, "    %s\n", standingText(r.standing, r.currency))
		}
	}
	if more := total - len(p.rows); more > 0 {
		fmt.Fprintf(w, "… and %s more; report.csv has them all\n", plural(more, "row"))
	}
	if len(p.rows) > 0 {
		fmt.Fprintln(w)
	}
}

// fieldLines tells for each field how many rows change and clear it, the most frequent first.
func (p *preview) fieldLines() []string {
	names := make([]string, 0, len(p.fields))
	for name := range p.fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := p.fields[b].changed - p.fields[a].changed; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var lines []string
	for _, name := range names {
		line := fmt.Sprintf("%s in %s", name, plural(p.fields[name].changed, "row"))
		if n := p.fields[name].cleared; n > 0 {
			line += fmt.Sprintf(", cleared in %d", n)
		}
		lines = append(lines, line)
	}
	return lines
}

// warnings names what deserves a second look: invoices go to primaryEmail, and a latch acts on the books.
func (p *preview) warnings() []string {
	var all []string
	if f := p.fields["primaryEmail"]; f != nil {
		all = append(all, "primaryEmail, where invoices go, "+f.does())
	}
	if f := p.fields["quickBooksLatchType"]; f != nil {
		all = append(all, "quickBooksLatchType, which links to the books, "+f.does())
	}
	if p.patches > 0 {
		all = append(all, fmt.Sprintf("Trackfinity cannot be read: the old values of %s are not known, and cannot be put back", plural(p.patches, "row")))
	}
	if p.shared > 1 {
		all = append(all, fmt.Sprintf("one new address, %s, for %s: is the right column mapped?", reports.Visible(p.mail), plural(p.shared, "customer")))
	}
	return all
}

// before is a value that is to go, as far as it can be read.
func before(v batch.Value) string {
	if v == batch.Hidden {
		return "(unreadable)"
	}
	return orEmpty(v)
}

func orEmpty(v batch.Value) string {
	if v.Empty() {
		return "(empty)"
	}
	return shortened(reports.Visible(v.Plain()))
}

// shortened keeps a long text from filling the screen.
func shortened(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%s… (%s)", string(r[:most]), plural(len(r), "character"))
	}
	return s
}
