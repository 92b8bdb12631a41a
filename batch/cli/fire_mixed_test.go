package cli_test

import (
	"cmp"
	"slices"
	"strconv"
	"testing"

	"github.com/tidwall/gjson"
)

// shuffler puts groups of rows into one file: the rows of a group in their order, other groups' rows between them.
type shuffler struct {
	*fireRows
	parts []part
}

type part struct {
	at  float64
	add func()
}

func (s *shuffler) group(adds ...func()) {
	var places []float64
	for range adds {
		places = append(places, s.random.Float64())
	}
	slices.Sort(places)
	for i, add := range adds {
		s.parts = append(s.parts, part{places[i], add})
	}
}

func (s *shuffler) write() {
	slices.SortStableFunc(s.parts, func(a, b part) int { return cmp.Compare(a.at, b.at) })
	for _, p := range s.parts {
		p.add()
	}
}

// latchFile is 150 latches: links that are set, kept, taken away, and that move
// from one customer to another, whoever of them stands first.
func latchFile(t *testing.T, seed uint64) *fireRows {
	s := &shuffler{fireRows: newFireRows(seed, "id", "hubSpotId", "hubSpotCompanyId")}
	linked := shuffled(s.fireRows, seeded(func(c gjson.Result) bool {
		return c.Get("hubSpotId").Exists() && c.Get("hubSpotId").Raw != "null" && !cancelled(c)
	}))
	free := shuffled(s.fireRows, seeded(func(c gjson.Result) bool { return c.Get("hubSpotId").Raw == "null" && !cancelled(c) }))
	next := func(from *[]gjson.Result) (id, contact, company string) {
		c := (*from)[0]
		*from = (*from)[1:]
		return c.Get("id").Raw, c.Get("hubSpotId").Raw, c.Get("hubSpotCompanyId").Raw
	}
	for n := range 24 {
		giver, contact, company := next(&linked)
		taker, _, _ := next(&free)
		adds := []func(){func() { s.latch(giver, "REMOVE", "") }, func() { s.take(taker, contact, giver, false) }}
		switch {
		case n%4 >= 2:
			adds[0], adds[1] = func() { s.latch(giver, "", "REMOVE") }, func() { s.takeCompany(taker, s.contact(1000+n), company, giver) }
		case n%3 == 0:
			adds[0] = func() { s.latch(giver, s.contact(2000+n), "") }
		}
		if n%2 == 1 {
			slices.Reverse(adds)
		}
		s.group(adds...)
	}
	s.chains(next, &linked, &free)
	for n := range 6 { // keeps one, changes the other
		id, _, _ := next(&linked)
		s.group(func() { s.latch(id, []string{s.contact(3000 + n), ""}[n%2], []string{"", s.contact(3000 + n)}[n%2]) })
	}
	for n := range 4 {
		id, _, _ := next(&linked)
		s.group(func() { s.latch(id, "REMOVE", "REMOVE") })
		twice, _, _ := next(&free)
		s.group(func() { s.latch(twice, s.contact(4000+n), s.contact(4000+n)) }, func() { s.latch(twice, "REMOVE", "") })
	}
	for n := len(s.parts); n < 150; n++ {
		id, _, _ := next(&free)
		cells := [][2]string{{s.contact(5000 + n), ""}, {"", s.contact(5000 + n)}, {s.contact(5000 + n), s.contact(5000 + n)}, {"", "REMOVE"}}[n%4]
		s.group(func() { s.latch(id, cells[0], cells[1]) })
	}
	s.write()
	if len(s.rows) != 150 {
		t.Fatalf("%d rows", len(s.rows))
	}
	return s.fireRows
}

// takeCompany is as take, with a company.
func (s *shuffler) takeCompany(id, contact, company, giver string) {
	s.latch(id, contact, company)
	s.orders[len(s.orders)-1].giver = giver
}

func cancelled(c gjson.Result) bool { return c.Get("status").Str == "Cancelled" }

func (s *shuffler) contact(n int) string { return strconv.Itoa(n) }

// chains are contacts that go from hand to hand, and two customers who would swap theirs, and cannot.
func (s *shuffler) chains(next func(*[]gjson.Result) (string, string, string), linked, free *[]gjson.Result) {
	for n := range 2 {
		first, one, _ := next(linked)
		second, two, _ := next(linked)
		last, _, _ := next(free)
		adds := []func(){func() { s.latch(first, "REMOVE", "") }, func() { s.take(second, one, first, false) }, func() { s.take(last, two, second, false) }}
		if n == 1 {
			slices.Reverse(adds)
		}
		s.group(adds...)
	}
	a, one, _ := next(linked)
	b, two, _ := next(linked)
	s.group(func() { s.take(a, two, b, true) }, func() { s.take(b, one, a, true) })
}

// mixedFile is 300 rows of all four actions over 120 customers. When the seed is
// odd, holds name their customers by reference and the other actions by id.
func mixedFile(_ *testing.T, seed uint64) *fireRows {
	f := newFireRows(seed, "action", "id", "customer_id", "subscription_id", "reference", "firstName", "primaryPhone",
		"customerReference.reference2", "hubSpotId", "hubSpotCompanyId", "city", "password")
	byReference := seed%2 == 1
	key := "customer_id"
	if byReference {
		f.names = slices.Delete(f.names, 3, 4)
	} else {
		f.names = slices.Delete(f.names, 4, 5)
	}
	herd := shuffled(f, seeded(func(c gjson.Result) bool { return plainReference(c) || cancelled(c) && !byReference }))[:90]
	for n := range 300 {
		c := herd[f.random.IntN(len(herd))]
		id := c.Get("id").Raw
		switch kind := f.random.IntN(20); {
		case kind < 8:
			f.update(id, f.edits())
		case kind < 13:
			f.latch(id, []string{"", strconv.Itoa(1000 + n), "REMOVE"}[f.random.IntN(3)], strconv.Itoa(6000+n))
		case kind < 16 && byReference:
			f.hold(id, "reference", c.Get("reference").Str)
		case kind < 16:
			f.hold(id, "id", id)
		default:
			if !byReference {
				key = []string{"customer_id", "subscription_id"}[f.random.IntN(2)]
			}
			f.patch(strconv.Itoa(4001+f.random.IntN(30)), key, f.details())
		}
	}
	return f
}

// edits are some fields of a Fusebill customer.
func (f *fireRows) edits() map[string]string {
	cells := map[string]string{"firstName": f.text("First")}
	for _, name := range []string{"primaryPhone", "customerReference.reference2"} {
		if f.random.IntN(2) == 0 {
			cells[name] = f.text("No.")
		}
	}
	return cells
}

// mixedMapping has holds name their customers by reference, and all others by id.
const mixedMapping = `
action_column: action
key:
  update: {column: id, field: id}
  latch: {column: id, field: id}
  hold: {column: reference, field: reference}
  patch: {column: customer_id, field: customer_id}
columns:
  firstName: {update: firstName, patch: firstname}
  primaryPhone: primaryPhone
  customerReference.reference2: customerReference.reference2
  hubSpotId: hubSpotId
  hubSpotCompanyId: hubSpotCompanyId
  city: city
  password: password
`
