package action

import (
	"fmt"
	"html"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"rowbatch/batch"
)

// Spellings reports whether the server was seen to store a value in the place of
// one that was sent for a field of a customer, in earlier runs. Nil knows of none.
//
// It is memory, and no rule: a server that once made lower case of an address would
// otherwise keep people from ever writing capitals.
type Spellings func(id, field string, sent, stored batch.Value) bool

// of compares the values of one customer.
func (s Spellings) of(id string) batch.Equal {
	return func(field string, is, want batch.Value) bool {
		return alike(field, is, want) || s != nil && s(id, field, want, is)
	}
}

// told says in place of which of one customer's values another stands that the server
// has made of it.
func (s Spellings) told(id string, edits []batch.Edit, now func(field string) batch.Value) (texts []string) {
	for _, e := range edits {
		if is := now(e.Field); !alike(e.Field, is, e.Want) && s.of(id)(e.Field, is, e.Want) {
			texts = append(texts, fmt.Sprintf("%s is %q, which the server stored when %q was sent before: taken for the same",
				e.Field, is.Plain(), e.Want.Plain()))
		}
	}
	return texts
}

// respelled reports whether a value may be what a server made of another one that was
// sent: trimmed, cut, in another letter case or form of Unicode, escaped, a phone put
// in order. It serves only to judge a write whose answer was lost, of which the
// record shows neither the old value nor the new one: never to leave one unsent.
func respelled(field string, is, sent batch.Value) bool {
	bare := func(v batch.Value) string {
		text := norm.NFKC.String(html.UnescapeString(v.Plain()))
		return strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r), strings.HasSuffix(field, "Phone") && !unicode.IsDigit(r):
				return -1
			}
			return unicode.ToLower(r)
		}, text)
	}
	a, b := bare(is), bare(sent)
	return a != "" && (a == b || strings.HasPrefix(b, a) && 2*len(a) >= len(b))
}
