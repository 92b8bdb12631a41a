package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// guards takes the columns of match; those of the command line come last and win.
func (c *compiler) guards(flags map[string]string) {
	wanted := map[string]Pair{}
	for _, p := range c.file.Match {
		wanted[strings.TrimSpace(p.Name.Text)] = p
	}
	for column, field := range flags {
		column = strings.TrimSpace(column)
		wanted[column] = Pair{Scalar{Text: column}, Scalar{Text: field}}
	}
	for _, column := range slices.Sorted(maps.Keys(wanted)) {
		c.guard(column, wanted[column])
	}
}

func (c *compiler) guard(column string, p Pair) {
	readers, why := readable(c.parts, p.Value.Text)
	if why != "" {
		c.complain(p.Value, "match: %s", why)
	}
	h := c.find(column)
	if h == nil {
		c.complain(p.Name, "match names the column %q, which the input lacks%s", column, didYouMean(column, c.texts()))
		return
	}
	if h.use == decides {
		c.complain(p.Name, "the column %q says what a row becomes and cannot also be a guard", column)
		return
	}
	if csvfile.Fold(h.text) == passwordName {
		c.complain(p.Name, "the column %q holds passwords by its heading, and a guard's text is shown: rename the column if it holds none", column)
	}
	h.use = guards
	if c.file.rules(column) != nil {
		c.complain(p.Name, "the column %q stands in columns and in match: a guard is not set", column)
	}
	for _, r := range readers {
		r.take(h)
		r.layout.guards = append(r.layout.guards, newColumn(h, r.target))
	}
}

// readable finds the actions that can compare a field with the live record, or
// says why none of them can.
func readable(parts []*part, name string) (readers []taker, why string) {
	var names []string
	blind := true
	for _, p := range parts {
		t, ok := p.directory.guard(name)
		switch {
		case ok && t.field.Secret:
			return nil, t.name + " is secret and cannot be compared with the live record"
		case p.schema.Unreadable:
			continue
		case ok:
			readers = append(readers, taker{p, t})
		}
		blind = false
		names = slices.Concat(names, p.directory.names, p.schema.Guards)
	}
	switch {
	case len(readers) > 0:
		return readers, ""
	case blind:
		return nil, fmt.Sprintf("%s has nothing to compare %s with: the API gives no record back", either(actionsOf(parts)), name)
	}
	return nil, fmt.Sprintf("%q cannot be read%s", name, didYouMean(name, names))
}
