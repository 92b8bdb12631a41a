package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestPutKeepsTheBytesOfWhatIsTheSame(t *testing.T) {
	for name, body := range map[string]string{
		"echo":                 odd,
		"white space":          strings.ReplaceAll(odd, `","`, "\",\n  \""),
		"numbers respelled":    edit(t, odd, "monthlyRecurringRevenue", "25.98", "netMonthlyRecurringRevenue", "250.00"),
		"strings respelled":    edit(t, odd, "customerReference.reference3", `"\u003cx\u003e"`),
		"read-only altered":    edit(t, odd, "uri", `"x"`, "createdTimestamp", "null", "monthlyRecurringRevenue", "1", "customerAccountStatus", `"Collection"`, "customerReference.id", "1"),
		"read-only left out":   edit(t, odd, "uri", "-", "createdTimestamp", "-", "canChangeCurrency", "-", "modifiedTimestamp", "-", "customerAcquisition.uri", "-"),
		"codes shortened":      edit(t, odd, "customerReference.salesTrackingCodes", `[{"type":"Sales Tracking Code 1","code":"OLD"},{"type":"Sales Tracking Code 2","code":"NORTH"}]`),
		"a key that is no key": edit(t, odd, "nonsense", "1"),
		"currency left out":    edit(t, odd, "currency", "-"),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			g := put(t, s, body)
			if g.status != 200 || still(t, g.body) != still(t, odd) {
				t.Fatalf("%d %s\nwant %s", g.status, g.body, odd)
			}
			if now := stored(t, s, "7"); now != g.body {
				t.Errorf("reply and record differ: %s", now)
			}
			if gjson.Get(g.body, "modifiedTimestamp").Str == gjson.Get(odd, "modifiedTimestamp").Str {
				t.Error("modifiedTimestamp has not moved")
			}
		})
	}
}

func TestPutNullsWhatIsLeftOut(t *testing.T) {
	s := open(t, Options{})
	g := put(t, s, `{"id":7,"status":"Active"}`)
	if g.status != 200 {
		t.Fatal(g.body)
	}
	for path, want := range map[string]string{
		"firstName": "null", "title": "null", "primaryEmail": "null", "primaryPhone": "null", "reference": "null",
		"hubSpotId": "null", "hubSpotCompanyId": "null", "geotabId": "null", "crmRecordId": "null",
		"customerReference":   `{"reference1":null,"reference2":null,"reference3":null,"salesTrackingCodes":[],"id":7,"uri":"/v1/customers/7"}`,
		"customerAcquisition": `{"adContent":null,"campaign":null,"keyword":null,"landingPage":null,"medium":null,"source":null,"id":7,"uri":"/v1/customers/7"}`,
		"status":              `"Active"`, "currency": `"USD"`, "monthlyRecurringRevenue": "25.9800", "customerAccountStatus": `"Good"`,
	} {
		if raw := gjson.Get(g.body, path).Raw; raw != want {
			t.Errorf("%s is %s, want %s", path, raw, want)
		}
	}
}

func TestPutTakes(t *testing.T) {
	for _, c := range []struct{ path, sent, want string }{
		{"firstName", `"Bea"`, ""},
		{"firstName", `"` + strings.Repeat("é", 50) + `"`, ""},
		{"companyName", `"` + strings.Repeat("x", 255) + `"`, ""},
		{"title", `"Dr"`, ""},
		{"status", `"Hold"`, ""},
		{"status", `"Cancelled"`, ""},
		{"primaryPhone", `"5550100"`, ""},
		{"primaryEmail", `"a@example.com;b@example.org"`, ""},
		{"parentId", "8", ""},
		{"quickBooksLatchType", `"Enabled"`, ""},
		{"crmRecordId", "9007199254740993000", ""},
		{"customerAcquisition.keyword", `"k"`, ""},
		{"customerReference.salesTrackingCodes", `[{"type":"Sales Tracking Code 2","code":"EAST"}]`,
			`[{"type":"Region","code":"EAST","name":"East","id":4415,"uri":"https://secure.fusebill.com/v1/SalesTrackingCodes/4415"}]`},
		{"customerReference.salesTrackingCodes", `null`, `[]`},
		{"middleName", `"M"`, ""}, // a key that the record lacks
	} {
		t.Run(c.path+" "+c.sent[:min(12, len(c.sent))], func(t *testing.T) {
			s := open(t, Options{})
			g := put(t, s, edit(t, odd, c.path, c.sent))
			want := c.want
			if want == "" {
				want = c.sent
			}
			if raw := gjson.Get(g.body, c.path).Raw; g.status != 200 || raw != want {
				t.Fatalf("%d, %s is %s, want %s", g.status, c.path, raw, want)
			}
			if was := gjson.Get(odd, c.path).Raw; was != "" && still(t, edit(t, g.body, c.path, was)) != still(t, odd) {
				t.Errorf("more than %s has changed: %s", c.path, g.body)
			}
		})
	}
}

func TestPutRefuses(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		message    string
	}{
		{"no JSON", `{id: 7}`, 400, "not valid JSON"},
		{"not UTF-8", "{\"id\":7,\"status\":\"Active\",\"suffix\":\"\xff\"}", 400, "not valid UTF-8"},
		{"an array", `[]`, 400, "not a JSON object"},
		{"a key twice", `{"id":7,"status":"Active","status":"Hold"}`, 400, `stands twice`},
		{"no id", edit(t, odd, "id", "-"), 400, "id is required"},
		{"id as text", edit(t, odd, "id", `"7"`), 400, "id is required"},
		{"no such customer", edit(t, odd, "id", "77"), 404, "Customer with id 77 not found."},
		{"no status", edit(t, odd, "status", "-"), 400, "status is required."},
		{"null status", edit(t, odd, "status", "null"), 400, "status is required."},
		{"unknown status", edit(t, odd, "status", `"PastDue"`), 400, "status must be one of"},
		{"title off the list", edit(t, odd, "title", `"Prof"`), 400, "title must be one of"},
		{"title in other case", edit(t, odd, "title", `"mr"`), 400, "title must be one of"},
		{"name too long", edit(t, odd, "firstName", `"`+strings.Repeat("x", 51)+`"`), 400, "firstName must not be longer than 50"},
		{"counted in UTF-16", edit(t, odd, "firstName", `"`+strings.Repeat("🌻", 26)+`"`), 400, "firstName must not be longer than 50"},
		{"company too long", edit(t, odd, "companyName", `"`+strings.Repeat("x", 256)+`"`), 400, "companyName must not"},
		{"text of another type", edit(t, odd, "lastName", `{}`), 400, "lastName must be text."},
		{"nested text of another type", edit(t, odd, "customerReference.reference1", `[1]`), 400, "customerReference.reference1 must be text."},
		{"nested text for object", edit(t, odd, "customerAcquisition", `"x"`), 400, "customerAcquisition: not a JSON object."},
		{"bad mail", edit(t, odd, "primaryEmail", `"ada@example.com; books"`), 400, `books`},
		{"commas between mails", edit(t, odd, "secondaryEmail", `"a@example.com,b@example.com"`), 400, "secondaryEmail"},
		{"currency", edit(t, odd, "currency", `"CAD"`), 400, "currency cannot be changed from USD to CAD."},
		{"the account's currency on another's", `{"id":9,"status":"Active"}`, 400, "currency cannot be changed from CAD to USD."},
		{"own parent", edit(t, odd, "parentId", "7"), 400, "own id"},
		{"no such parent", edit(t, odd, "parentId", "99"), 400, "customer with id 99 not found"},
		{"parent's currency", edit(t, odd, "parentId", "9"), 400, "customer's currency"},
		{"parent's status", edit(t, odd, "parentId", "10"), 400, "must be Active"},
		{"QuickBooks id as text", edit(t, odd, "quickBooksId", `"12"`), 400, "quickBooksId must be a whole number."},
		{"codes no list", edit(t, odd, "customerReference.salesTrackingCodes", `{}`), 400, "must be a list"},
		{"unknown code", edit(t, odd, "customerReference.salesTrackingCodes.0.code", `"emb"`), 400, "Unknown sales tracking code emb"},
		{"unknown type", edit(t, odd, "customerReference.salesTrackingCodes.0.type", `"X"`), 400, "Unknown sales tracking code type X."},
		{"one type twice", edit(t, odd, "customerReference.salesTrackingCodes.-1", `{"type":"Sales Tracking Code 2","code":"EAST"}`), 400, "several codes of type Region"},
		{"cancelled", `{"id":10,"status":"Cancelled"}`, 409, "cancelled customer"},
		{"cancelled, to be active", `{"id":10,"status":"Active"}`, 409, "cancelled customer"},
		{"back to draft", edit(t, odd, "status", `"Draft"`), 409, "cannot become a draft"},
		{"retired code anew", `{"id":8,"status":"Active","customerReference":{"salesTrackingCodes":[{"type":"Sales Tracking Code 1","code":"OLD"}]}}`, 400, "is retired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, Options{})
			g := put(t, s, c.body)
			if g.status != c.status || !strings.Contains(g.message(), c.message) {
				t.Errorf("%d %s\nwant %d with %s", g.status, g.body, c.status, c.message)
			}
			if gjson.Get(g.body, "HttpStatusCode").Int() != int64(c.status) || len(s.Effects()) != 0 {
				t.Errorf("an error of another shape, or an effect: %s", g.body)
			}
		})
	}
}

func TestPutNamesEveryFault(t *testing.T) {
	s := open(t, Options{})
	g := put(t, s, edit(t, odd, "title", `"Prof"`, "primaryEmail", `"x"`))
	if n := gjson.Get(g.body, "Errors.#").Int(); n != 2 {
		t.Errorf("%d entries: %s", n, g.body)
	}
}

func TestPutOverNullObjects(t *testing.T) {
	s := open(t, Options{})
	if g := put(t, s, `{"id":11,"status":"Draft"}`); gjson.Get(g.body, "customerReference").Raw != "null" {
		t.Errorf("null over null: %s", g.body)
	}
	g := put(t, s, `{"id":11,"status":"Draft","customerReference":{"reference2":"x"},"customerAcquisition":{"source":"fair"}}`)
	if gjson.Get(g.body, "customerReference.reference2").Str != "x" || gjson.Get(g.body, "customerReference.salesTrackingCodes").Raw != "[]" ||
		gjson.Get(g.body, "customerAcquisition.source").Str != "fair" {
		t.Errorf("objects over null: %s", g.body)
	}
}

func TestEffectsAreTheLedger(t *testing.T) {
	s := open(t, Options{})
	bea := edit(t, odd, "firstName", `"Bea"`)
	put(t, s, bea)
	s.Edit("7", func(b []byte) []byte { return []byte(edit(t, string(b), "lastName", `"Holm"`)) })
	put(t, s, edit(t, odd, "title", `"Prof"`))
	effects := s.Effects()
	if len(effects) != 2 {
		t.Fatalf("%d effects", len(effects))
	}
	first, second := effects[0], effects[1]
	if first.Seq != 1 || first.Kind != "put" || first.ID != "7" || string(first.Before) != odd || still(t, string(first.After)) != still(t, bea) {
		t.Errorf("first %s", encode(first))
	}
	if second.Seq != 2 || second.Kind != "edit" || string(second.Before) != string(first.After) || string(second.After) != stored(t, s, "7") {
		t.Errorf("second %s", encode(second))
	}
	if !second.At.After(first.At) {
		t.Error("time stands still")
	}
}

func ExampleSandbox_Edit() {
	s, err := Open(Options{Seed: []byte(`[{"id":7,"lastName":"Reed"}]`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Edit("7", func([]byte) []byte { return []byte(`{"id":7,"lastName":"Holm"}`) })
	body, _ := s.Customer("7")
	fmt.Println(string(body))
	// Output: {"id":7,"lastName":"Holm"}
}
