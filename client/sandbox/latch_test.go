package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func latch(t testing.TB, s *Sandbox, body string) got {
	t.Helper()
	return post(t, s, "/v1/HubSpot/latchCustomer", body)
}

func TestLatch(t *testing.T) {
	for name, c := range map[string]struct{ body, contact, company string }{
		"both":                   {`{"fusebillId":7,"hubSpotId":101,"hubSpotCompanyId":202}`, "101", "202"},
		"large ids":              {`{"fusebillId":7,"hubSpotId":51000999999,"hubSpotCompanyId":7300999999}`, "51000999999", "7300999999"},
		"its own":                {`{"fusebillId":7,"hubSpotId":51000000001,"hubSpotCompanyId":7300000001}`, "51000000001", "7300000001"},
		"company left out":       {`{"fusebillId":7,"hubSpotId":101}`, "101", "null"},
		"contact null":           {`{"fusebillId":7,"hubSpotId":null,"hubSpotCompanyId":202}`, "null", "202"},
		"neither":                {`{"fusebillId":7}`, "null", "null"},
		"a contact as a company": {`{"fusebillId":7,"hubSpotId":5,"hubSpotCompanyId":5}`, "5", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			g := latch(t, s, c.body)
			if want := edit(t, odd, "hubSpotId", c.contact, "hubSpotCompanyId", c.company); g.status != 200 || still(t, g.body) != still(t, want) {
				t.Fatalf("%d %s\nwant %s", g.status, g.body, want)
			}
			if gjson.Get(g.body, "modifiedTimestamp").Str == gjson.Get(odd, "modifiedTimestamp").Str {
				t.Error("modifiedTimestamp has not moved")
			}
			if e := s.Effects(); len(e) != 1 || e[0].Kind != "latch" || e[0].ID != "7" || string(e[0].After) != stored(t, s, "7") {
				t.Errorf("effects %s", encode(e))
			}
			if n := s.Requests(); n.Kinds["latch"] != 1 || n.Writes != 1 {
				t.Errorf("counts %+v", n)
			}
		})
	}
}

func TestLatchAddsTheKeysThatARecordLacks(t *testing.T) {
	s := open(t, Options{})
	g := latch(t, s, `{"fusebillId":8,"hubSpotId":101}`)
	if want := edit(t, string(s.Effects()[0].Before), "hubSpotId", "101", "hubSpotCompanyId", "null"); g.body != want {
		t.Errorf("%s\nwant %s", g.body, want)
	}
}

func TestUnlatch(t *testing.T) {
	s := open(t, Options{})
	g := post(t, s, "/v1/HubSpot/UnlatchCustomer/7", "")
	if want := edit(t, odd, "hubSpotId", "null", "hubSpotCompanyId", "null"); g.status != 200 || still(t, g.body) != still(t, want) {
		t.Fatalf("%d %s\nwant %s", g.status, g.body, want)
	}
	if e := s.Effects(); len(e) != 1 || e[0].Kind != "unlatch" || s.Requests().Kinds["unlatch"] != 1 {
		t.Errorf("effects %s, counts %+v", encode(e), s.Requests())
	}
}

func TestLatchRefuses(t *testing.T) {
	s := open(t, Options{})
	for _, c := range []struct {
		name, body string
		status     int
		message    string
	}{
		{"no JSON", `{fusebillId: 7}`, 400, "not valid JSON"},
		{"no customer", `{"hubSpotId":101}`, 400, "fusebillId is required"},
		{"contact as text", `{"fusebillId":8,"hubSpotId":"101"}`, 400, "hubSpotId must be a whole number."},
		{"company as decimal", `{"fusebillId":8,"hubSpotCompanyId":1.5}`, 400, "hubSpotCompanyId must be a whole number."},
		{"no such customer", `{"fusebillId":99,"hubSpotId":101}`, 404, "Customer with id 99 not found."},
		{"cancelled", `{"fusebillId":10,"hubSpotId":101}`, 409, "cancelled customer"},
		{"unknown contact", `{"fusebillId":8,"hubSpotId":10000}`, 400, "The was an error getting the contact from HubSpot: resource not found"},
		{"contact beyond the last", `{"fusebillId":8,"hubSpotId":51001000000}`, 400, "getting the contact"},
		{"contact beyond any", `{"fusebillId":8,"hubSpotId":99999999999999999999}`, 400, "getting the contact"},
		{"contact zero", `{"fusebillId":8,"hubSpotId":0}`, 400, "getting the contact"},
		{"unknown company", `{"fusebillId":8,"hubSpotCompanyId":7299999999}`, 400, "The was an error getting the company from HubSpot: resource not found"},
		{"taken contact", `{"fusebillId":8,"hubSpotId":51000000001}`, 409, "HubSpot contact 51000000001 is already linked to customer 7."},
		{"taken company", `{"fusebillId":8,"hubSpotId":101,"hubSpotCompanyId":7300000001}`, 409, "HubSpot company 7300000001 is already linked to customer 7."},
	} {
		if g := latch(t, s, c.body); g.status != c.status || !strings.Contains(g.message(), c.message) {
			t.Errorf("%s: %d %s", c.name, g.status, g.body)
		}
	}
	for path, status := range map[string]int{"/v1/HubSpot/UnlatchCustomer/99": 404, "/v1/HubSpot/UnlatchCustomer/10": 409} {
		if g := post(t, s, path, ""); g.status != status {
			t.Errorf("%s: %d %s", path, g.status, g.body)
		}
	}
	if e := s.Effects(); len(e) != 0 {
		t.Errorf("effects %s", encode(e))
	}
}

// Who holds a contact must be known after every kind of write.
func TestWhoHoldsALink(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	taken := func(contact, by string) {
		t.Helper()
		g := latch(t, s, `{"fusebillId":11,"hubSpotId":`+contact+`}`)
		if want := "is already linked to customer " + by; g.status != 409 || !strings.Contains(g.message(), want) {
			t.Errorf("contact %s: %d %s, want %s", contact, g.status, g.body, want)
		}
	}
	free := func(contact string) {
		t.Helper()
		if g := latch(t, s, `{"fusebillId":11,"hubSpotId":`+contact+`}`); g.status != 200 {
			t.Errorf("contact %s: %d %s", contact, g.status, g.body)
		}
		latch(t, s, `{"fusebillId":11}`)
	}
	taken("51000000001", "7")
	latch(t, s, `{"fusebillId":8,"hubSpotId":101}`)
	taken("101", "8")
	put(t, s, edit(t, odd, "hubSpotId", "102"))
	taken("102", "7")
	free("51000000001")
	s.Edit("9", func(b []byte) []byte { return []byte(edit(t, string(b), "hubSpotId", "103")) })
	taken("103", "9")
	put(t, s, edit(t, odd, "hubSpotId", "103")) // a PUT may share one; the first is named
	taken("103", "7")
	post(t, s, "/v1/HubSpot/UnlatchCustomer/7", "")
	taken("103", "9")
	free("102")
	_ = s.Close()

	s = open(t, Options{Dir: dir})
	taken("101", "8")
	taken("103", "9")
	free("51000000001")
	post(t, s, "/v1/HubSpot/UnlatchCustomer/8", "")
	free("101")
}

func TestOneContactForOneOfMany(t *testing.T) {
	s := open(t, Options{Seed: []byte(`[{"id":1,"status":"Active"}]`), Customers: 16})
	statuses := make(chan int)
	for id := range 16 {
		go func() { statuses <- latch(t, s, fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":5}`, id+1)).status }()
	}
	seen := map[int]int{}
	for range 16 {
		seen[<-statuses]++
	}
	if seen[200] != 1 || seen[409] != 15 || len(s.Effects()) != 1 {
		t.Errorf("%v, %d effects", seen, len(s.Effects()))
	}
}
