package ui

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/job"
)

// printPreview shows the first rows, field by field.
func printPreview(w io.Writer, p *job.Preview, lineOf func(row int) string, total int) {
	for _, r := range p.Rows {
		fmt.Fprintf(w, "%s  %s  %s\n", lineOf(r.N), batch.Visible(r.Key), batch.Visible(r.Customer))
		width := 0
		for _, c := range r.Changes {
			width = max(width, len(c.Field))
		}
		for _, c := range r.Changes {
			before, after := c.Shown()
			fmt.Fprintf(w, "    %-*s  %s → %s\n", width, c.Field, cutText(before), cutText(after))
		}
		if s := r.Standing; s != (batch.Standing{}) {
			fmt.Fprintf(w, "    %s\n", batch.Visible(fmt.Sprintf("balance %s %s, recurring %s a month, next billing %s",
				batch.Value(s.Balance).Short(), r.Currency, batch.Value(s.Recurring).Short(),
				cmp.Or(batch.Text(s.NextBilling).Short(), "none"))))
		}
	}
	if more := total - len(p.Rows); more > 0 {
		fmt.Fprintf(w, "… and %s more; report.csv has them all\n", batch.Plural(more, "row"))
	}
	if len(p.Rows) > 0 {
		fmt.Fprintln(w)
	}
}

// longestValue keeps a long text from filling the screen.
const longestValue = 80

func cutText(all string) string {
	text := []rune(all)
	if len(text) > longestValue {
		return fmt.Sprintf("%s… (%s)", string(text[:longestValue]), batch.Plural(len(text), "character"))
	}
	return all
}

// FieldLines tell for each field how many rows change and clear it, the most frequent first.
func FieldLines(p *job.Preview) (lines []string) {
	fields := slices.SortedFunc(slices.Values(p.Fields), func(a, b *job.FieldCount) int {
		return cmp.Or(b.Changed-a.Changed, strings.Compare(a.Name, b.Name))
	})
	for _, f := range fields {
		line := fmt.Sprintf("%s in %s", f.Name, batch.Plural(f.Changed, "row"))
		if f.Cleared > 0 {
			line += fmt.Sprintf(", cleared in %d", f.Cleared)
		}
		lines = append(lines, line)
	}
	return lines
}

// stakeLines tell what the customers of holds owe and pay.
func stakeLines(s job.Stakes) (lines []string) {
	amounts := func(of map[string]*big.Rat) string {
		var all []string
		for _, currency := range slices.Sorted(maps.Keys(of)) {
			all = append(all, of[currency].FloatString(2)+" "+batch.Visible(currency))
		}
		return strings.Join(all, ", ")
	}
	if len(s.Balance) > 0 {
		lines = append(lines, "balance "+amounts(s.Balance), "recurring revenue a month "+amounts(s.Recurring))
	}
	if s.Unread > 0 {
		lines = append(lines, "amounts of "+batch.Plural(s.Unread, "customer")+" could not be read")
	}
	if len(s.Parents) > 0 {
		line := "parents of other customers: " + batch.Visible(strings.Join(s.Parents, ", "))
		if s.MoreParents > 0 {
			line += fmt.Sprintf(", and %s more", batch.Thousands(s.MoreParents))
		}
		lines = append(lines, line)
	}
	return lines
}

// Warnings name what deserves a second look: invoices go to primaryEmail, and a latch acts on the books.
func Warnings(p *job.Preview) (all []string) {
	does := func(f *job.FieldCount) string {
		var parts []string
		if n := f.Changed - f.Cleared; n > 0 {
			parts = append(parts, "changes for "+batch.Plural(n, "customer"))
		}
		if f.Cleared > 0 {
			parts = append(parts, "is cleared for "+batch.Plural(f.Cleared, "customer"))
		}
		return strings.Join(parts, ", ")
	}
	if f := p.Field("primaryEmail"); f != nil {
		all = append(all, "primaryEmail, where invoices go, "+does(f))
	}
	if f := p.Field("quickBooksLatchType"); f != nil {
		all = append(all, "quickBooksLatchType, which links to the books, "+does(f))
	}
	if p.Patches > 0 {
		all = append(all, fmt.Sprintf("Trackfinity cannot be read: the old values of %s are not known, and cannot be put back",
			batch.Plural(p.Patches, "row")))
	}
	if p.Shared.Customers > 1 {
		all = append(all, fmt.Sprintf("one new address, %s, for %s: is the right column mapped?", batch.Visible(p.Shared.Address),
			batch.Plural(p.Shared.Customers, "customer")))
	}
	return all
}
