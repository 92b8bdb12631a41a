package sandbox

import (
	"testing"

	"github.com/tidwall/gjson"
)

func TestOverview(t *testing.T) {
	s := open(t, Options{Seed: []byte("[" + edit(t, odd, "parentId", "8") + "," + peers + "]")})
	g := get(t, s, "/v1/customers/7/overview")
	for path, want := range map[string]string{
		"firstName": `"Ada"`, "primaryPhone": "5550100", "monthlyRecurringRevenue": "25.9800", "parentName": `"Parent"`,
		"quickbooksId": "null", "arBalance": `0.00`, "createdTimestamp": `"2018-01-01T03:33:33.02"`, "hubSpotCompanyId": "7300000001",
		"uri": `"https://secure.fusebill.com/v1/CustomerOverview/7"`, "customerReference": "", "modifiedTimestamp": "", "salesforceId": "null",
	} {
		if raw := gjson.Get(g.body, path).Raw; raw != want {
			t.Errorf("%s is %s, want %s", path, raw, want)
		}
	}
}

func TestSampleSeedIsWhole(t *testing.T) {
	s := open(t, Options{Seed: sampleSeed(t)})
	if n := len(s.IDs()); n != 300 {
		t.Fatalf("%d customers", n)
	}
	for _, id := range s.IDs() {
		was := stored(t, s, id)
		if gjson.Get(was, "status").Str == "Cancelled" {
			continue
		}
		if g := put(t, s, was); g.status != 200 || gjson.Get(was, "modifiedTimestamp").Exists() && still(t, g.body) != still(t, was) {
			t.Errorf("customer %s does not survive its own PUT: %d %s\nwas %s", id, g.status, g.body, was)
		}
	}
}

func TestOverviewOfOthers(t *testing.T) {
	seed := `[{"id":1,"status":"Hold","parentId":2},{"id":2,"status":"Active","firstName":"Ada","lastName":"Reed"},{"id":3,"status":"Active","parentId":99}]`
	s := open(t, Options{Seed: []byte(seed)})
	for _, c := range []struct{ id, path, want string }{
		{"1", "parentName", `"Ada Reed"`},
		{"1", "nextBillingDate", "null"},
		{"1", "createdTimestamp", `"2018-01-01T00:00:00"`},
		{"2", "nextBillingDate", `"2030-03-03T00:00:00"`},
		{"3", "parentName", "null"},
		{"3", "arBalance", "15.7500"},
	} {
		if raw := gjson.Get(get(t, s, "/v1/customers/"+c.id+"/overview").body, c.path).Raw; raw != c.want {
			t.Errorf("%s of %s is %s, want %s", c.path, c.id, raw, c.want)
		}
	}
}
