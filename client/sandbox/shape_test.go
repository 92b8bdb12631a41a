package sandbox

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"
)

// A reply may have another form than the record that it is about, which has the effect all the same.
func TestShapesOfAReply(t *testing.T) {
	for _, c := range []struct {
		spec   string
		fields map[string]string // of the reply; "" where there is none
	}{
		{"put:short", map[string]string{"id": "7", "status": `"Active"`, "firstName": ""}},
		{"put:longer", map[string]string{"warnings": "[]", "firstName": `"Bea"`}},
		{"put:respelled", map[string]string{"status": `"active"`, "createdTimestamp": `"2018-01-01T03:33:33.02Z"`,
			"monthlyRecurringRevenue": "25.9800e0", "customerAcquisition": "null", "firstName": `"Bea"`}},
		{"put:former", map[string]string{"firstName": `"Ada"`}},
		{"put:moves=note", map[string]string{"firstName": `"Bea"`, "note": `"moved by write 1"`}},
	} {
		s := open(t, Options{Faults: faultsOf(t, c.spec)})
		g := put(t, s, edit(t, odd, "firstName", `"Bea"`))
		for name, want := range c.fields {
			if raw := gjson.Get(g.body, name).Raw; raw != want {
				t.Errorf("%s: %s is %s, want %s", c.spec, name, raw, want)
			}
		}
		if now := stored(t, s, "7"); gjson.Get(now, "firstName").Str != "Bea" || gjson.Get(now, "status").Str != "Active" {
			t.Errorf("%s left %s", c.spec, now)
		}
	}
}

// A habit leaves other faults their turn.
func TestShapesBesideOtherFaults(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "put:short", "put:409-after:at=2", "overview:other-ids")})
	for _, want := range []int{200, 409} {
		if g := put(t, s, odd); g.status != want {
			t.Errorf("%d, not %d", g.status, want)
		}
	}
	if g := get(t, s, "/v1/customers/7/overview"); gjson.Get(g.body, "geotabId").Str != "sf-gt1" || gjson.Get(g.body, "status").Str != "Active" {
		t.Error(g.body)
	}
}

// firstNames are those that the customer's record and overview show.
func firstNames(t *testing.T, s *Sandbox) string {
	return gjson.Get(get(t, s, "/v1/customers/7").body, "firstName").Str + " " + gjson.Get(get(t, s, "/v1/customers/7/overview").body, "firstName").Str
}

// Reads that lag show what stood so long, or so many reads, ago.
func TestReadsThatLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Faults: faultsOf(t, "any:lag=50ms")})
		put(t, s, edit(t, odd, "firstName", `"Bea"`))
		time.Sleep(30 * time.Millisecond)
		put(t, s, edit(t, odd, "firstName", `"Cora"`))
		for _, want := range []string{"Ada Ada", "Bea Bea", "Cora Cora"} {
			if got := firstNames(t, s); got != want {
				t.Errorf("%s, not %s", got, want)
			}
			time.Sleep(30 * time.Millisecond)
		}
	})
}

func TestReadsBehindTheLastWrite(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "get:behind=2")})
	put(t, s, edit(t, odd, "firstName", `"Bea"`))
	for _, want := range []string{"Ada Bea", "Ada Bea", "Bea Bea"} {
		if got := firstNames(t, s); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
