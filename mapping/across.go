package mapping

import (
	"hash/maphash"
	"slices"
	"strconv"
)

// newChecker hashes references to 64 bits: in a million rows two different ones
// meet once in thirty million runs, and a needless rejection is all that comes
// of it.
func newChecker(m *Mapper, o CheckOptions) *checker {
	seed := maphash.MakeSeed()
	return &checker{
		mapper:  m,
		options: o,
		result:  &Checked{},
		uses:    map[Use]bool{},
		hash:    func(s string) uint64 { return maphash.String(seed, s) },
		hasParent: m.key.field.Kind == Digits &&
			(slices.ContainsFunc(m.columns, func(c column) bool { return c.field.Parent }) ||
				slices.ContainsFunc(m.constants, func(c Cell) bool { return c.Field.Parent })),
	}
}

// identity is a key as a number that no other customer has; 0 for no key.
func (c *checker) identity(key string) uint64 {
	switch {
	case key == "":
		return 0
	case c.mapper.key.field.Kind == Digits:
		return number(key)
	}
	return c.fingerprint(c.mapper.key.field, key)
}

// fingerprint is never 0, and a value and a key of one field have the same.
func (c *checker) fingerprint(f *Field, text string) uint64 {
	return max(c.hash(text)^c.hash(f.Name), 1)
}

// number reads digits that Field.check has let pass.
func number(digits string) uint64 {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// across looks for trouble between rows, once all are there.
func (c *checker) across() {
	c.duplicates()
	c.chains()
	c.news, c.newRows = chunked[uint64]{}, chunked[uint32]{}
	c.circles()
	for n := range c.result.Rows {
		if !c.result.OK(n) {
			c.result.Rejected++
		}
	}
	if c.options.AllowDuplicates {
		c.followers()
	}
}

// positions returns an empty table, in the memory of the last one if it fits.
func (c *checker) positions(keys *chunked[uint64]) *positions {
	c.table = newPositions(keys, c.table)
	return c.table
}

// circles rejects rows that would make a customer its own ancestor.
func (c *checker) circles() {
	if !c.hasParent {
		return
	}
	f := family{children: c.keys, parents: c.parents, rows: c.table}
	for n := range f.cycles() {
		*c.result.marks.at(n) |= circular
	}
	c.table, c.parents = f.rows, chunked[uint64]{}
}

// duplicates rejects all rows of a customer with several, those too that are
// rejected for something else: which of them was meant, nobody can know.
func (c *checker) duplicates() {
	if c.options.AllowDuplicates {
		return
	}
	rows := c.positions(&c.keys)
	for n := range c.keys.n {
		if *c.keys.at(n) == 0 {
			continue
		}
		if before := rows.put(n); before >= 0 {
			c.result.clash(n, before, duplicate)
			c.result.clash(before, n, duplicate)
		}
	}
}

// followers marks the rows after which another of the same customer will be sent.
func (c *checker) followers() {
	rows := c.positions(&c.keys)
	for n := c.keys.n - 1; n >= 0; n-- {
		key := *c.keys.at(n)
		if key == 0 {
			continue
		}
		if rows.find(key) >= 0 {
			*c.result.marks.at(n) |= more
		}
		if c.result.OK(n) {
			rows.put(n)
		}
	}
}

// chains rejects rows that set a reference which another customer of the file
// has or is given too: whichever were written first, a later row might meet the
// wrong customer.
func (c *checker) chains() {
	if c.news.n == 0 {
		return
	}
	values := c.positions(&c.news)
	rival := map[int]int{} // place of a value's first use → another customer's row
	for i := range c.news.n {
		first := values.find(*c.news.at(i))
		if first < 0 {
			values.put(i)
		} else if !c.sameCustomer(first, i) {
			rival[first] = c.newRow(i)
		}
	}
	owner := c.owners(values)
	for i := range c.news.n {
		n, first := c.newRow(i), values.find(*c.news.at(i))
		if other, ok := rival[first]; ok {
			if other == n {
				other = c.newRow(first)
			}
			c.result.clash(n, other, chained)
		} else if other, ok := owner[first]; ok {
			c.result.clash(n, other, chained)
		}
	}
}

// owners finds the rows whose key is a value that another customer's row is the
// first to set. If the owner itself is the first, any other is its rival.
func (c *checker) owners(values *positions) map[int]int {
	owner := map[int]int{}
	if c.mapper.key.field.Kind == Digits {
		return owner
	}
	for n := range c.keys.n {
		if key := *c.keys.at(n); key != 0 {
			if first := values.find(key); first >= 0 && *c.keys.at(c.newRow(first)) != key {
				owner[first] = n
			}
		}
	}
	return owner
}

func (c *checker) newRow(i int) int { return int(*c.newRows.at(i)) }

func (c *checker) sameCustomer(i, j int) bool {
	key := *c.keys.at(c.newRow(i))
	return key != 0 && key == *c.keys.at(c.newRow(j))
}
