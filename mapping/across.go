package mapping

import "slices"

// across looks for trouble between rows, once all are there.
func (c *checker) across() {
	if !c.options.AllowDuplicates {
		c.duplicates()
	}
	c.chains(&c.references, chained)
	c.chains(&c.links, linked)
	c.circles()
	for n := range c.result.Rows {
		if c.result.OK(n) {
			c.result.kind(n).sendable++
		} else {
			c.result.Rejected++
		}
	}
	c.followers()
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
	c.table, c.parents = f.rows, sparse{}
}

// duplicates rejects all rows of one action about a customer with several, those
// too that are rejected for something else: which of them was meant, nobody can
// know. A row as it was exported says nothing, and contradicts no other: several
// exports may stand in one file.
func (c *checker) duplicates() {
	for _, action := range c.result.actions() {
		rows := c.positions(&c.keys)
		for n := range c.keys.n {
			if *c.keys.at(n) == 0 || c.result.Action(n) != action || c.result.AsExported(n) {
				continue
			}
			if before := rows.put(n); before >= 0 {
				c.result.clash(n, before, duplicate)
				c.result.clash(before, n, duplicate)
			}
		}
	}
}

// followers marks the rows after which another of the same customer will be
// sent. Of a system whose customers are named in several ways, that is any other.
func (c *checker) followers() {
	unknowable := c.namedTwice()
	if !c.options.AllowDuplicates && len(c.mapper.layouts) == 1 && len(unknowable) == 0 {
		return
	}
	rows := c.positions(&c.keys)
	later := map[string]bool{} // systems of which a later row will be sent
	for n := c.keys.n - 1; n >= 0; n-- {
		key, k := *c.keys.at(n), c.result.kind(n)
		if key == 0 {
			continue
		}
		if rows.find(key) >= 0 || later[k.system] {
			*c.result.marks.at(n) |= more
		}
		if c.result.OK(n) {
			rows.put(n)
			later[k.system] = slices.Contains(unknowable, k.system)
		}
	}
}

// namedTwice returns the systems whose customers are named by different fields,
// in rows that will be sent.
func (c *checker) namedTwice() (systems []string) {
	field := map[string]string{}
	for _, k := range c.result.kinds {
		before, seen := field[k.system]
		switch {
		case k.sendable == 0:
		case !seen:
			field[k.system] = k.Field
		case before != k.Field:
			systems = append(systems, k.system)
		}
	}
	return systems
}

// gifts are values that no two customers may have, as rows give them to theirs.
type gifts struct {
	values chunked[uint64] // hashed
	rows   chunked[uint32]
}

func (g *gifts) add(value uint64, row int) {
	g.values.add(value)
	g.rows.add(uint32(row))
}

func (g *gifts) row(i int) int { return int(*g.rows.at(i)) }

// chains rejects rows that give a customer a value which another customer of the
// file has or is given too: whichever were written first, a later row might meet
// the wrong customer.
func (c *checker) chains(g *gifts, m marks) {
	if g.values.n == 0 {
		return
	}
	values := c.positions(&g.values)
	rival := map[int]int{} // place of a value's first use → another customer's row
	for i := range g.values.n {
		first := values.find(*g.values.at(i))
		if first < 0 {
			values.put(i)
		} else if !c.sameCustomer(g.row(first), g.row(i)) {
			rival[first] = g.row(i)
		}
	}
	owner := map[int]int{}
	if m == chained {
		owner = c.owners(g, values)
	}
	for i := range g.values.n {
		n, first := g.row(i), values.find(*g.values.at(i))
		if other, ok := rival[first]; ok {
			if other == n {
				other = g.row(first)
			}
			c.result.clash(n, other, m)
		} else if other, ok := owner[first]; ok {
			c.result.clash(n, other, m)
		}
	}
	*g = gifts{}
}

// owners finds the rows of any action whose key is a value that another
// customer's row is the first to set. If the owner itself is the first, any other
// is its rival.
func (c *checker) owners(g *gifts, values *positions) map[int]int {
	owner := map[int]int{}
	for n := range c.keys.n {
		key := *c.keys.at(n)
		if key == 0 || c.result.kind(n).digits {
			continue
		}
		if first := values.find(key); first >= 0 && !c.sameCustomer(g.row(first), n) {
			owner[first] = n
		}
	}
	return owner
}

func (c *checker) sameCustomer(n, other int) bool {
	key := *c.keys.at(n)
	return key != 0 && key == *c.keys.at(other)
}
