package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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

// fireRows makes up a file.
type fireRows struct {
	random *rand.Rand
	names  []string
	rows   [][]string
	orders []order
}

func newFireRows(seed uint64, names ...string) *fireRows {
	return &fireRows{random: rand.New(rand.NewPCG(seed, 77)), names: names}
}

// add appends a row: what it asks for is read off its cells.
func (f *fireRows) add(o order, cells map[string]string) {
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

// hold adds a hold of a customer, who is named by id or by reference.
func (f *fireRows) hold(id, field, key string) {
	cells := map[string]string{field: key}
	if slices.Contains(f.names, "action") {
		cells["action"] = f.cased("hold")
	}
	f.add(order{action: "hold", key: field + "=" + key, customer: id, want: map[string]string{"status": `"Hold"`}}, cells)
}

// latch adds a link of a contact, a company or both; "" keeps, REMOVE unlinks.
func (f *fireRows) latch(id, contact, company string) {
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

// take adds a latch to a contact that another customer has to give away first.
func (f *fireRows) take(id, contact, giver string, stuck bool) {
	f.latch(id, contact, "")
	last := &f.orders[len(f.orders)-1]
	last.giver, last.stuck = giver, stuck
}

func (f *fireRows) update(id string, cells map[string]string) {
	o := order{action: "update", key: "id=" + id, customer: id, want: map[string]string{}}
	for field, cell := range cells {
		o.want[field] = raw(cell)
	}
	cells["action"], cells["id"] = f.cased("update"), id
	f.add(o, cells)
}

// patch adds an edit of a Trackfinity customer by one of his keys.
func (f *fireRows) patch(number, field string, cells map[string]string) {
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

// passwordMark is what the sandbox keeps of a password, raw.
func passwordMark(password string) string {
	sum := sha256.Sum256([]byte(password))
	return `"sha256:` + hex.EncodeToString(sum[:])[:16] + `"`
}

// cased is an action's name in some letter case.
func (f *fireRows) cased(action string) string {
	return []string{action, strings.ToUpper(action), strings.ToUpper(action[:1]) + action[1:]}[f.random.IntN(3)]
}

// text is a value that no other row gives.
func (f *fireRows) text(what string) string {
	return fmt.Sprintf("%s %d-%d", what, len(f.rows), f.random.IntN(1000))
}

// seeded returns the customers of the seed that fit.
func seeded(fits func(gjson.Result) bool) (all []gjson.Result) {
	for _, c := range gjson.ParseBytes(samples.Seed()).Array() {
		if fits(c) {
			all = append(all, c)
		}
	}
	return all
}

func active(c gjson.Result) bool { return c.Get("status").Str == "Active" }

func shuffled[T any](f *fireRows, all []T) []T {
	f.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// plainReference says that a reference finds its customer and no other. One of the seed's stands twice.
func plainReference(c gjson.Result) bool {
	ref := c.Get("reference").Str
	return regexp.MustCompile(`^AC-\d+$`).MatchString(ref) && bytes.Count(samples.Seed(), []byte(`"reference": "`+ref+`"`)) == 1
}

// holdFile is 120 Active customers; by reference when the seed is odd.
func holdFile(_ *testing.T, seed uint64) *fireRows {
	field := []string{"id", "reference"}[seed%2]
	f := newFireRows(seed, field)
	for _, c := range shuffled(f, seeded(func(c gjson.Result) bool { return active(c) && plainReference(c) }))[:120] {
		f.hold(c.Get("id").Raw, field, c.Get(field).String())
	}
	return f
}

// patchFile is 150 edits of Trackfinity customers, a fifth of them of one seen
// before; with both kinds of key in one file, or one.
func patchFile(bothKeys bool) func(*testing.T, uint64) *fireRows {
	return func(_ *testing.T, seed uint64) *fireRows {
		f := newFireRows(seed, "customer_id", "subscription_id", "firstname", "city", "zip", "custom1", "password")
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

// details are some of a Trackfinity customer's fields, each of them new.
func (f *fireRows) details() map[string]string {
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
