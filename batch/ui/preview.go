package ui

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"

	"rowbatch/batch"
	"rowbatch/batch/job"
)

// wide is from how many columns on a screen has room for a row in one line.
const wide = 100

// printPreview shows the first rows, field by field: each beside its customer, or below him
// where the screen has no room for that.
func printPreview(s Screen, p *job.Preview, lineOf func(row int) string, total int) {
	var beside, below [][]any
	for _, r := range p.Rows {
		head := []any{lineOf(r.N), s.Paint(Faint, batch.Visible(r.Key)), s.Paint(Strong, batch.Visible(r.Customer))}
		below = append(below, []any{Text(fmt.Sprintf("%s  %s  %s", head...))})
		for _, c := range r.Changes {
			change := shownChange(s, c)
			beside, below = append(beside, append(head, c.Field, change)), append(below, []any{"  ", c.Field, change})
			head = []any{"", "", ""}
		}
		if st := r.Standing; st != (batch.Standing{}) {
			standing := batch.Visible(fmt.Sprintf("balance %s %s, recurring %s a month, next billing %s", batch.Value(st.Balance).Short(),
				r.Currency, batch.Value(st.Recurring).Short(), cmp.Or(batch.Text(st.NextBilling).Short(), "none")))
			beside, below = append(beside, append(head, "", standing)), append(below, []any{"    " + standing})
		}
		if s.columns == 0 { // each row for itself
			s.Table(0, below...)
			below = nil
		}
	}
	if text, stacked := s.table(0, beside); s.columns >= wide && !stacked {
		fmt.Fprint(s.Writer, text)
	} else {
		s.Table(0, below...)
	}
	if more := total - len(p.Rows); more > 0 {
		s.Printf("… and %s more; report.csv has them all\n", batch.Plural(more, "row"))
	}
	if len(p.Rows) > 0 {
		s.Printf("\n")
	}
}

// shownChange is a field's value before and after, with what differs marked.
func shownChange(s Screen, c batch.Change) Text {
	old, fresh := c.Shown()
	head, tail := differing(old, fresh)
	side := func(text string, v batch.Value, t Tone) Text {
		if v == batch.Hidden || v.Empty() {
			return s.Paint(Faint, text)
		}
		all := []rune(text)
		from, to := 0, len(all)
		var before, behind Text
		if start := head - longestValue/2; len(all) > longestValue && start > 0 { // what differs must be seen
			from, before = start, "…"
		}
		if to > from+longestValue {
			to, behind = from+longestValue, Text(fmt.Sprintf("… (%s)", batch.Plural(len(all), "character")))
		}
		begin := min(max(head, from), to)
		end := max(begin, min(to, len(all)-tail))
		return before + s.Paint(Plain, string(all[from:begin])) + s.Paint(t, string(all[begin:end])) +
			s.Paint(Plain, string(all[end:to])) + behind
	}
	arrow := Text(" → ")
	if s.columns > 0 && strings.ContainsFunc(old+fresh, rightToLeft) {
		arrow = "\u200e → " // else a terminal that turns such text round would put the values in each other's place
	}
	return side(old, c.Before, Gone) + arrow + side(fresh, c.After, Come)
}

// longestValue keeps a long text from filling the screen.
const longestValue = 80

// rightToLeft reports whether a character is of a script that runs so.
func rightToLeft(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// differing returns how many characters two texts share at their beginnings and ends,
// cutting no word. What has little in common differs as a whole.
func differing(before, after string) (head, tail int) {
	a, b := []rune(before), []rune(after)
	shorter := min(len(a), len(b))
	if shorter < 5 {
		return 0, 0
	}
	for head < shorter && a[head] == b[head] {
		head++
	}
	for tail < shorter-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	const joiner = '\u200d'
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }
	inWord := func(s []rune, i int) bool {
		return i > 0 && i < len(s) && (letter(s[i-1]) && letter(s[i]) || unicode.IsMark(s[i]) || s[i] == joiner || s[i-1] == joiner)
	}
	for head > 0 && (inWord(a, head) || inWord(b, head)) {
		head--
	}
	for tail > 0 && (inWord(a, len(a)-tail) || inWord(b, len(b)-tail)) {
		tail--
	}
	if head+tail < 3 {
		return 0, 0
	}
	return head, tail
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
