package batch

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Source yields the rows of a run: of a file, a plan, a stopped run or its undoing.
type Source = iter.Seq2[*Item, error]

// Item is one row on its way: what it wants of which customer.
type Item struct {
	N         int    // ordinal in rows.jsonl, from 0: joins rows, journal and report
	Lane      string // the customer, or several that cannot be told apart; rows of one lane never overlap and keep their order
	Shared    bool   // the lane is several customers': one who fails closes it to rows with the same key only
	More      bool   // another item of this lane follows
	Action    Action
	Key       string   // id=… or reference=…, as the row says it
	ID        string   // the customer's id
	Edits     []Edit   // the fields that the row sets
	Guards    []Guard  // what the live record must show, else conflict
	Out       *Outcome // when set, it settles the row without a request
	Uncounted bool     // it must not be sent: when the rows were counted, nothing was to be
	Spent     int      // requests made for this row before the engine, such as looking its reference up
	Listed    *Record  // when set, what its edits expect was seen in the customer list: as that was last found to show it still
	Undoes    *Record  // when set, the record as the write found it that this row takes back
	UndoneBy  string   // the undo that has taken it back before; "": none has

	Writes
	Earlier History
}

// Writes are what has been sent for a row, earlier processes' writes included.
type Writes struct {
	Sent       []Change // of one whose answer was lost, and which is still to be settled
	Sends      int      // those that may have had an effect
	Unanswered bool     // the answer to one of them was lost, whatever a read-back showed since
}

// History is what became of a row in earlier processes of its run.
type History struct {
	Sends   int       // of all, those of earlier processes
	Settle  time.Time // when an earlier write may be read back at the earliest
	Outcome *Outcome  // nil: none. It stands, unless the row is sent once more
	Settled bool      // the row is not visited: it comes only to tell the later ones of its lane
}

// unexpecting is the item without what its edits expect.
func (it *Item) unexpecting() *Item {
	plain := *it
	plain.Edits = slices.Clone(it.Edits)
	for i := range plain.Edits {
		plain.Edits[i].Expect = nil
	}
	return &plain
}

// customer tells the customers of one lane apart.
func (it *Item) customer() string {
	if it.Shared {
		return it.Key
	}
	return ""
}

// Edit sets one field.
type Edit struct {
	Field  string
	Want   Value    // Null clears
	Expect *Value   // what must stand there now, unless Want does already; nil: anything
	Stale  string   // rb_error_code of a row that does not find Expect; "": changed_since_plan
	Stored Value    // stands for Expect as well: what the server made of it; Absent: it took it
	Yields bool     // when Expect does not stand there, the field is left as it is
	Secret bool     // Want is kept out of changes, and so of the journal
	Unless *Outcome // the row's, unless Want stands there already; nil: the edit is made
}

// Guard is a field that must hold a value before the row is sent.
type Guard struct {
	Field string
	Value Value
	Exact bool   // byte for byte, not merely the same to the API
	Stale string // rb_error_code of a row that finds something else; "": match_failed
}

// Change is one field's move. A Hidden Before could not be read; a Hidden After is secret.
type Change struct {
	Field  string `json:"f"`
	Before Value  `json:"b"`
	After  Value  `json:"a"`
	Stored Value  `json:"s,omitempty"` // what the server was seen to make of After; Absent: it took it, or left Before
}

// Shown is a change as a person reads it, amounts and days short where both sides
// stay apart.
func (c Change) Shown() (before, after string) {
	show := func(v Value, text string) string {
		switch {
		case v == Hidden:
			return text
		case v.Empty():
			return "(empty)"
		}
		return apparent(text)
	}
	before, after = c.Before.Short(), c.After.Short()
	if before == after {
		before, after = c.Before.Plain(), c.After.Plain()
	}
	if before, after = show(c.Before, before), show(c.After, after); c.Before == Hidden {
		before = "(unreadable)"
	}
	return before, after
}

// apparent writes what cannot be seen of a text so that it can: a space at an end, or
// beside another, as ␠, all else as its number. What joins letters and pictures stays.
func apparent(text string) string {
	begin := len(text) - len(strings.TrimLeftFunc(text, unseen))
	end := max(begin, len(strings.TrimRightFunc(text, unseen)))
	var b strings.Builder
	for i, r := range text {
		inside := i >= begin && i < end
		switch {
		case r == ' ' && (!inside || text[i-1] == ' ' || text[i+1] == ' '):
			b.WriteString("␠")
		case !inside, r != ' ' && unseen(r) && Visible(string(r)) == string(r) && r != '\u200c' && r != '\u200d':
			fmt.Fprintf(&b, "%U", r)
		default:
			b.WriteRune(r)
		}
	}
	return Visible(b.String())
}

// unseen reports whether a character leaves nothing to see.
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// Equal reports whether writing want over now would change nothing in this field.
type Equal func(field string, now, want Value) bool

// Diff is the one decision of every mode: which of the edits must be sent,
// given the values that stand there now, with what deserves a warning of those that
// are not, or why none may be.
func Diff(edits []Edit, guards []Guard, now func(field string) Value, same Equal) (s Step, out *Outcome) {
	for _, g := range guards {
		is := now(g.Field)
		fits := is.Plain() == g.Value.Plain()
		if !g.Exact {
			fits = same(g.Field, is, g.Value) || strings.TrimSpace(is.Plain()) == g.Value.Plain()
		}
		if !fits {
			return Step{}, &Outcome{Kind: Conflict, Code: cmp.Or(g.Stale, "match_failed"), Error: fmt.Sprintf(
				"%s of the customer is %s, and the row says %s", g.Field, is.quoted(), g.Value.quoted())}
		}
	}
	for _, e := range edits {
		is := now(e.Field)
		switch {
		case same(e.Field, is, e.Want):
			if e.Unless != nil {
				s.Warnings = append(s.Warnings, fmt.Sprintf("%s is %s in the record already; else the row would be rejected: %s",
					e.Field, is.quoted(), e.Unless.Error))
			}
		case e.Unless != nil:
			unless := *e.Unless
			return Step{}, &unless
		case e.Expect == nil || same(e.Field, is, *e.Expect) || e.Stored != Absent && same(e.Field, is, e.Stored):
			s.Changes = append(s.Changes, Change{Field: e.Field, Before: is, After: e.Want})
		case !e.Yields:
			text := "%s should be %s, and is %s; the row would make it %s"
			if e.Stale == "changed_since_export" {
				text = "%s was exported as %s, and is now %s; the row would make it %s"
			}
			return Step{}, &Outcome{Kind: Conflict, Code: cmp.Or(e.Stale, "changed_since_plan"),
				Error: fmt.Sprintf(text, e.Field, e.Expect.quoted(), is.quoted(), e.Want.quoted())}
		}
	}
	if len(s.Changes) == 0 {
		return Step{}, &Outcome{Kind: Unchanged, Warnings: s.Warnings}
	}
	return s, nil
}
