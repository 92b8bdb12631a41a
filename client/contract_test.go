package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/client"
	"rowbatch/client/sandbox"
)

// The client against the stand-in of the API, over loopback HTTP: what each
// documented reply means, and what a person reads of it.

const issuedKey client.Secret = "MDpzM2NyZXQ=" // Base64 already, as the account shows it

const customers = `[{"firstName":"Ada","lastName":"Reed","companyName":"Northlight Ltd","title":"","primaryPhone":5550100,"reference":40021,` +
	`"status":"Active","currency":"USD","customerReference":{"reference1":null,"reference2":"caf\u00e9","reference3":null,"salesTrackingCodes":[` +
	`{"type":"Region","code":"NORTH","name":"North","id":4414}],"id":7},"monthlyRecurringRevenue":25.9800,"hubSpotId":51000000001,` +
	`"crmRecordId":9007199254740993123,"modifiedTimestamp":"2025-01-02T03:04:05.1234567Z","createdTimestamp":"2018-01-01T03:33:33.02","id":7},` +
	`{"id":8,"status":"Active","currency":"USD","reference":"AC-1","companyName":"Harbour Mills"},` +
	`{"id":9,"status":"Active","currency":"CAD","reference":"AC-1","lastName":"Holm"},` +
	`{"id":10,"status":"Cancelled","currency":"USD","reference":"ac-1","lastName":"Iver"},` +
	`{"id":11,"status":"Active","currency":"USD","reference":"R&D 50% é","lastName":"Juno"}]`

func stand(t *testing.T, o sandbox.Options, faults ...string) *sandbox.Sandbox {
	t.Helper()
	o.Seed = []byte(customers)
	var err error
	if o.Faults, err = sandbox.ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// serving returns a client of a loopback server with the handler.
func serving(t *testing.T, h http.Handler, change ...func(*client.Options)) *client.Fusebill {
	t.Helper()
	server := httptest.NewServer(h)
	transport := client.NewTransport(2)
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	o := client.Options{BaseURL: server.URL + "/v1", Key: issuedKey, Timeout: 10 * time.Second, Transport: transport}
	for _, f := range change {
		f(&o)
	}
	fb, err := client.NewFusebill(o)
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

// meaning is what a reply must be taken for.
type meaning struct {
	class  client.Class
	status int
	kind   string // of the error; "": none
	text   string // for people
}

func (m meaning) hold(t *testing.T, rep client.Reply) {
	t.Helper()
	if rep.Class != m.class || rep.Status != m.status || kindOf(rep.Err) != m.kind {
		t.Errorf("%s, status %d, %T: %v; want %s, %d, %q", rep.Class, rep.Status, rep.Err, rep.Err, m.class, m.status, m.kind)
	}
	if rep.Err != nil && !strings.Contains(rep.Err.Error(), m.text) {
		t.Errorf("a person reads %q, which lacks %q", rep.Err, m.text)
	}
	if (rep.Class == client.Answered) != (rep.Body != nil) {
		t.Errorf("%s with body %q", rep.Class, rep.Body)
	}
}

func kindOf(err error) string {
	var api *client.APIError
	var access *client.AccessError
	var lost *client.LostError
	var throttled *client.ThrottledError
	var record *client.RecordError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return "api"
	case errors.As(err, &access):
		return "access"
	case errors.As(err, &throttled):
		return "throttled"
	case errors.As(err, &lost):
		return "lost"
	case errors.As(err, &record):
		return "record"
	}
	return "other"
}

func TestContractReads(t *testing.T) {
	s := stand(t, sandbox.Options{})
	fb := serving(t, s)
	found := meaning{client.Answered, 200, "", ""}
	customer := func(id string) client.Reply { return fb.Customer(t.Context(), nil, id) }
	overview := func(id string) client.Reply { return fb.Overview(t.Context(), nil, id) }
	code := func(typ, code string) client.Reply { return fb.TrackingCode(t.Context(), nil, typ, code) }
	tests := []struct {
		name  string
		rep   client.Reply
		want  meaning
		shows string // a path of the body and the raw value there
	}{
		{"customer", customer("7"), found, "@this " + stored(t, s, "7")},
		{"unknown customer", customer("99"), meaning{client.Refused, 404, "api", "refused with 404: Customer with id 99 not found."}, ""},
		{"overview", overview("8"), found, `arBalance 0.00`},
		{"unknown overview", overview("2"), meaning{client.Refused, 404, "api", "CustomerOverview with id 2 not found."}, ""},
		{"type by its default name", code("Sales Tracking Code 1", "EMB"), found, `name "Ember team"`},
		{"renamed type by its default name", code("Sales Tracking Code 2", "NORTH"), found, `type "Region"`},
		{"renamed type by its own name", code("Region", "NORTH"), found, `code "NORTH"`},
		{"unknown type", code("Sales Tracking Code 6", "EMB"), meaning{client.Refused, 400, "api",
			"refused with 400: Unknown sales tracking code type Sales Tracking Code 6. Valid types are: Sales Tracking Code 1, Region, "}, ""},
		{"unknown code", code("Region", "EMB"), meaning{client.Refused, 404, "api", "code EMB not found"}, ""},
		{"page", fb.Customers(t.Context(), nil, client.Query{Page: 1, Size: 2}), found, "#.id [9,10]"},
		{"page after the last", fb.Customers(t.Context(), nil, client.Query{Page: 9, Size: 2}), found, "@this []"},
		{"terms", fb.Customers(t.Context(), nil, client.Query{Terms: "status:Active;currency:CAD", Size: 9}),
			meaning{client.Refused, 400, "api", "currency"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.hold(t, tt.rep)
			path, raw, _ := strings.Cut(tt.shows, " ")
			if got := gjson.GetBytes(tt.rep.Body, path).Raw; got != raw {
				t.Errorf("%s is %s, want %s", path, got, raw)
			}
			if h := tt.rep.Header; h.Get("X-Rate-Limit-Remaining-Minute") == "" || h.Get("X-Rate-Limit-Reset-Day") == "" || tt.rep.Requests != 1 {
				t.Errorf("%d requests, header %v", tt.rep.Requests, h)
			}
		})
	}
}

func stored(t *testing.T, s *sandbox.Sandbox, id string) string {
	t.Helper()
	body, ok := s.Customer(id)
	if !ok {
		t.Fatalf("no customer %s", id)
	}
	return string(body)
}

func TestContractReferences(t *testing.T) {
	found := meaning{client.Answered, 200, "", ""}
	unaskable := meaning{client.Refused, 0, "record", "customer's id"}
	tests := []struct {
		ref, ids string
		want     meaning
	}{
		{"nobody", "", found},
		{"ac-1", "10", found},
		{"AC-1", "8 9", found},
		{"Ac-1", "", found},
		{"40021", "7", found}, // a number in the record
		{"040021", "", found},
		{"R&D 50% é", "11", found},
		{"AC;1", "", unaskable}, {"AC:1", "", unaskable}, {"AC,1", "", unaskable}, {"AC|1", "", unaskable},
		{"AC*", "", unaskable}, {"[empty]", "", unaskable}, {" AC-1", "", unaskable}, {"", "", unaskable},
	}
	whole, short := stand(t, sandbox.Options{}), stand(t, sandbox.Options{ShortRows: true})
	generous := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // finds everybody
		r.URL.RawQuery = "pageSize=1000"
		whole.ServeHTTP(w, r)
	})
	// Whether list rows are whole records is not documented, nor whether letter case counts.
	for name, server := range map[string]http.Handler{"whole rows": whole, "short rows": short, "generous": generous} {
		t.Run(name, func(t *testing.T) {
			fb := serving(t, server)
			for _, tt := range tests {
				m, rep := fb.Find(t.Context(), nil, "reference", tt.ref)
				tt.want.hold(t, rep)
				if got := strings.Join(m.IDs, " "); got != tt.ids || len(m.Rows) != len(m.IDs) {
					t.Errorf("%q: ids %q with %d rows, want %q", tt.ref, got, len(m.Rows), tt.ids)
				}
			}
		})
	}
	if n := short.Requests().Reads; n != 7 {
		t.Errorf("%d requests for 7 references that can be asked for", n)
	}
}

func TestContractWrites(t *testing.T) {
	refused := func(status int, text string) meaning { return meaning{client.Refused, status, "api", text} }
	taken := meaning{client.Answered, 200, "", ""}
	tests := []struct {
		name, id string
		edits    []string // path and raw value; "-" leaves out
		want     meaning
	}{
		{"all of it", "7", []string{"firstName", `"Grace"`, "title", `"Dr"`}, taken},
		{"as it is", "7", nil, taken},
		{"without id", "7", []string{"id", "-"}, meaning{client.Refused, 0, "record", "by hand"}},
		{"without status", "7", []string{"status", "-"}, refused(400, "status is required.")},
		{"unknown customer", "7", []string{"id", "99"}, refused(404, "Customer with id 99 not found.")},
		{"bad title", "7", []string{"title", `"Sir"`}, refused(400, "title must be one of Mr, Mrs, Ms, Miss, Dr.")},
		{"too long", "7", []string{"lastName", `"` + strings.Repeat("x", 51) + `"`}, refused(400, "lastName must not be longer than 50 characters.")},
		{"two at once", "7", []string{"title", `"Sir"`, "parentId", "7"}, refused(400, "Dr.; parentId must not be")},
		{"cancelled", "10", []string{"lastName", `"Ivers"`}, refused(409, "A cancelled customer cannot be modified.")},
		{"unknown code", "7", []string{"customerReference.salesTrackingCodes.0", `{"type":"Region","code":"MOON"}`}, refused(400, "MOON")},
		{"conflict", "7", []string{"status", `"Draft"`}, refused(409, "cannot become a draft")},
		{"fixed currency", "7", []string{"currency", `"EUR"`}, refused(400, "currency cannot be changed from USD to EUR.")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stand(t, sandbox.Options{})
			before := stored(t, s, tt.id)
			rep := serving(t, s).Update(t.Context(), nil, edited(t, before, tt.edits...))
			tt.want.hold(t, rep)
			after := stored(t, s, tt.id)
			if rep.Class != client.Answered {
				if after != before || len(s.Effects()) != 0 {
					t.Errorf("refused, and yet now %s", after)
				}
				return
			}
			stamp := []string{"modifiedTimestamp", gjson.Get(after, "modifiedTimestamp").Raw}
			if want := string(edited(t, before, append(tt.edits, stamp...)...)); after != want || string(rep.Body) != want {
				t.Errorf("stored %s\nreply %s\nwant %s", after, rep.Body, want)
			}
		})
	}
}

// edited returns the record with pairs of path and raw value set; the value "-" leaves out.
func edited(t *testing.T, body string, pairs ...string) []byte {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		var err error
		if pairs[i+1] == "-" {
			body, err = sjson.Delete(body, pairs[i])
		} else {
			body, err = sjson.SetRaw(body, pairs[i], pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return []byte(body)
}

// The stand-in says in each reply what it is, whatever the reply is; no other server
// is taken for it, nor one of whose replies a single one lacks that.
func TestContractSandboxTellsWhatItIs(t *testing.T) {
	mixed := func(with, without http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/customers/8" {
				without.ServeHTTP(w, r)
				return
			}
			with.ServeHTTP(w, r)
		})
	}
	s := stand(t, sandbox.Options{})
	other := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"id":8}`)) })
	spelled := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Rowbatch-Sandbox", "0")
		other(w, r)
	})
	tests := []struct {
		name   string
		server http.Handler
		asked  []string // for customers
		want   bool
	}{
		{"nothing was asked", s, nil, false},
		{"the stand-in", s, []string{"7"}, true},
		{"its refusal", s, []string{"99"}, true},
		{"its web page", stand(t, sandbox.Options{}, "any:html"), []string{"7"}, true},
		{"its 503", stand(t, sandbox.Options{}, "any:503"), []string{"7"}, true},
		{"no reply", stand(t, sandbox.Options{}, "any:lost-before"), []string{"7"}, false},
		{"another server", other, []string{"8"}, false},
		{"another value", spelled, []string{"8"}, false},
		{"something between", mixed(s, other), []string{"7", "8", "7"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fb := serving(t, tt.server)
			for _, id := range tt.asked {
				fb.Customer(t.Context(), nil, id)
			}
			if got := fb.IsSandbox(); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	tf := install(t, s)
	if tf.Ping(t.Context(), nil); !tf.IsSandbox() {
		t.Error("the ping does not tell")
	}
}

// All requests of an account are counted at one place.
func TestContractRequestsAreCounted(t *testing.T) {
	s := stand(t, sandbox.Options{}, "get:500:times=1", "get:lost-before:times=1")
	fb := serving(t, s)
	fb.Patiently(t.Context(), func() client.Reply { return fb.Customer(t.Context(), nil, "7") })
	fb.Customer(t.Context(), nil, "no id") // does not leave
	fb.Hold(t.Context(), nil, "8")
	list := fb.List("", 0, 1)
	for page, _ := list.Next(t.Context()); len(page.Rows) > 0; page, _ = list.Next(t.Context()) {
	}
	fb.Find(t.Context(), nil, "reference", "AC-1")
	if n := s.Requests(); fb.Requests() != n.Reads+n.Writes || n.Writes != 1 || n.Reads < 4 {
		t.Errorf("%d were counted, %d reads and %d writes arrived", fb.Requests(), n.Reads, n.Writes)
	}
}
