package cli_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/samples"
)

// randomFile makes up the rows of a file, and keeps what each of them asks for.
type randomFile struct {
	random *rand.Rand
	names  []string
	rows   [][]string
	orders []order
}

func newRandomFile(seed uint64, names ...string) *randomFile {
	return &randomFile{random: rand.New(rand.NewPCG(seed, 77)), names: names}
}

// add appends a row and what it asks for.
func (f *randomFile) add(o order, cells map[string]string) {
	row := make([]string, len(f.names))
	for name, cell := range cells {
		row[slices.Index(f.names, name)] = cell
	}
	f.rows = append(f.rows, row)
	f.orders = append(f.orders, o)
}

func raw(cell string) string {
	if cell == "REMOVE" {
		return "null"
	}
	text, err := json.Marshal(cell)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// hold adds a hold of a customer, named by id or by reference.
func (f *randomFile) hold(id, field, key string) {
	cells := map[string]string{field: key}
	if slices.Contains(f.names, "action") {
		cells["action"] = f.cased("hold")
	}
	f.add(order{action: "hold", key: field + "=" + key, customer: id, want: map[string]string{"status": `"Hold"`}}, cells)
}

// latch adds a link of a contact, a company or both; "" keeps, REMOVE unlinks.
func (f *randomFile) latch(id, contact, company string) {
	o := order{action: "latch", key: "id=" + id, customer: id, want: map[string]string{}}
	cells := map[string]string{"id": id, "hubSpotId": contact, "hubSpotCompanyId": company}
	for _, field := range []string{"hubSpotId", "hubSpotCompanyId"} {
		if cells[field] != "" {
			o.want[field] = strings.Trim(raw(cells[field]), `"`)
		}
	}
	if slices.Contains(f.names, "action") {
		cells["action"] = f.cased("latch")
	}
	f.add(o, cells)
}

// take adds a latch of a contact that another customer has to give away first.
func (f *randomFile) take(id, contact, giver string, giverCannot bool) {
	f.latch(id, contact, "")
	last := &f.orders[len(f.orders)-1]
	last.giver, last.giverCannot = giver, giverCannot
}

func (f *randomFile) update(id string, cells map[string]string) {
	o := order{action: "update", key: "id=" + id, customer: id, want: map[string]string{}}
	for field, cell := range cells {
		o.want[field] = raw(cell)
	}
	cells["action"], cells["id"] = f.cased("update"), id
	f.add(o, cells)
}

// patch adds an edit of a Trackfinity customer by one of its keys.
func (f *randomFile) patch(number, field string, cells map[string]string) {
	key := map[string]string{"customer_id": number, "subscription_id": "S-" + number}[field]
	o := order{action: "patch", key: field + "=" + key, customer: "tf:" + number, want: map[string]string{}}
	for name, cell := range cells {
		o.want[name] = raw(cell)
		if name == "password" {
			o.want[name] = passwordMark(cell)
		}
	}
	cells[field] = key
	if slices.Contains(f.names, "action") {
		cells["action"] = f.cased("patch")
	}
	if at := slices.Index(f.names, "firstname"); at < 0 && cells["firstname"] != "" {
		cells["firstName"] = cells["firstname"]
		delete(cells, "firstname")
	}
	f.add(o, cells)
}

// cased is an action's name, in lower case, upper case or with a capital.
func (f *randomFile) cased(action string) string {
	return []string{action, strings.ToUpper(action), strings.ToUpper(action[:1]) + action[1:]}[f.random.IntN(3)]
}

// text is a value that no other row has.
func (f *randomFile) text(what string) string {
	return fmt.Sprintf("%s %d-%d", what, len(f.rows), f.random.IntN(1000))
}

// seeded returns the sample customers that fit.
func seeded(fits func(gjson.Result) bool) (all []gjson.Result) {
	for _, c := range gjson.ParseBytes(samples.Seed()).Array() {
		if fits(c) {
			all = append(all, c)
		}
	}
	return all
}

func active(c gjson.Result) bool { return c.Get("status").Str == "Active" }

func shuffled[T any](f *randomFile, all []T) []T {
	f.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// plainReference reports whether a reference finds its customer and no other: one of the samples' is used twice.
func plainReference(c gjson.Result) bool {
	ref := c.Get("reference").Str
	return regexp.MustCompile(`^AC-\d+$`).MatchString(ref) && bytes.Count(samples.Seed(), []byte(`"reference": "`+ref+`"`)) == 1
}

// holdFile is 120 Active customers; by reference when the seed is odd.
func holdFile(_ *testing.T, seed uint64) *randomFile {
	field := []string{"id", "reference"}[seed%2]
	f := newRandomFile(seed, field)
	for _, c := range shuffled(f, seeded(func(c gjson.Result) bool { return active(c) && plainReference(c) }))[:120] {
		f.hold(c.Get("id").Raw, field, c.Get(field).String())
	}
	return f
}

// patchFile is 150 edits of Trackfinity customers, a fifth of them of one seen
// before; with both kinds of key in one file, or one.
func patchFile(bothKeys bool) func(*testing.T, uint64) *randomFile {
	return func(_ *testing.T, seed uint64) *randomFile {
		f := newRandomFile(seed, "customer_id", "subscription_id", "firstname", "city", "zip", "custom1", "password")
		if !bothKeys {
			f.names = slices.Delete(f.names, 1, 2)
		}
		for n, i := range append(f.random.Perm(189)[:120], f.random.Perm(189)[:30]...) {
			key := "customer_id"
			if bothKeys && n%2 == 1 {
				key = "subscription_id"
			}
			f.patch(strconv.Itoa(4001+i), key, f.details())
		}
		return f
	}
}

// details are new values for some of a Trackfinity customer's fields.
func (f *randomFile) details() map[string]string {
	cells := map[string]string{"firstname": f.text("First")}
	for _, name := range []string{"city", "password", "zip", "custom1"} {
		if slices.Contains(f.names, name) && f.random.IntN(3) == 0 {
			cells[name] = f.text(name)
		}
	}
	if f.random.IntN(5) == 0 && slices.Contains(f.names, "custom1") {
		cells["custom1"] = "REMOVE"
	}
	return cells
}

// shuffler puts groups of rows into one file: the rows of a group in their order, other groups' rows between them.
type shuffler struct {
	*randomFile
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

// latchFile is 150 latches: links that are set, kept, taken away, and that move from
// one customer to another, whichever of the two comes first in the file.
func latchFile(t *testing.T, seed uint64) *randomFile {
	s := &shuffler{randomFile: newRandomFile(seed, "id", "hubSpotId", "hubSpotCompanyId")}
	linked := shuffled(s.randomFile, seeded(func(c gjson.Result) bool {
		return c.Get("hubSpotId").Exists() && c.Get("hubSpotId").Raw != "null" && !cancelled(c)
	}))
	free := shuffled(s.randomFile, seeded(func(c gjson.Result) bool { return c.Get("hubSpotId").Raw == "null" && !cancelled(c) }))
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
	return s.randomFile
}

// takeCompany is take with a company beside the contact.
func (s *shuffler) takeCompany(id, contact, company, giver string) {
	s.latch(id, contact, company)
	s.orders[len(s.orders)-1].giver = giver
}

func cancelled(c gjson.Result) bool { return c.Get("status").Str == "Cancelled" }

func (s *shuffler) contact(n int) string { return strconv.Itoa(n) }

// chains are contacts that pass from one customer to the next and the next, and two customers that cannot swap theirs.
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
func mixedFile(_ *testing.T, seed uint64) *randomFile {
	f := newRandomFile(seed, "action", "id", "customer_id", "subscription_id", "reference", "firstName", "primaryPhone",
		"customerReference.reference2", "hubSpotId", "hubSpotCompanyId", "city", "password")
	byReference := seed%2 == 1
	key := "customer_id"
	if byReference {
		f.names = slices.Delete(f.names, 3, 4)
	} else {
		f.names = slices.Delete(f.names, 4, 5)
	}
	customers := shuffled(f, seeded(func(c gjson.Result) bool { return plainReference(c) || cancelled(c) && !byReference }))[:90]
	for n := range 300 {
		c := customers[f.random.IntN(len(customers))]
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

// edits are new values for some of a Fusebill customer's fields.
func (f *randomFile) edits() map[string]string {
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
