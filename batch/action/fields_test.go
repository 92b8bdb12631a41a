package action

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/samples"
)

func TestTheTableOfFieldsIsWhole(t *testing.T) {
	known := map[string]bool{}
	for _, f := range customerFields() {
		if known[f.Name] {
			t.Errorf("%s stands twice", f.Name)
		}
		known[f.Name] = true
		if !f.has(inRecord) && !f.has(inOverview) {
			t.Errorf("%s: nothing shows it", f.Name)
		}
		if f.set() && !f.has(inRecord) {
			t.Errorf("%s: an update could not see what it sets", f.Name)
		}
	}
	for _, f := range customerFields() {
		for moved := range strings.FieldsSeq(f.moves) {
			if !known[moved] {
				t.Errorf("%s moves %s, which is no field", f.Name, moved)
			}
		}
	}
}

// The sample customers are written by the API's pages, not by the table.
func TestTheTableKnowsTheSampleCustomers(t *testing.T) {
	customers := gjson.ParseBytes(samples.Seed()).Array()
	if len(customers) == 0 {
		t.Fatal("no customers")
	}
	for _, c := range customers[:min(len(customers), 20)] {
		members := c.Map()
		for _, group := range []string{"customerReference", "customerAcquisition"} {
			inner := members[group].Map()
			for _, own := range []string{"id", "uri", "salesTrackingCodes"} {
				delete(inner, own)
			}
			for name := range inner {
				if !customerFields().of(group + "." + name).has(inRecord) {
					t.Errorf("%s.%s is no field of the table", group, name)
				}
			}
			delete(members, group)
		}
		for name := range members {
			if !customerFields().of(name).has(inRecord) {
				t.Errorf("%s is no field of the table", name)
			}
		}
	}
}
