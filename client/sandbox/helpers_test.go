package sandbox

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// odd is a record with everything in it that a careless tool would spoil.
const odd = `{"firstName":"Ada","lastName":"Reed","companyName":"Northlight Ltd","title":"","primaryEmail":"ada@example.com; books@example.com",` +
	`"primaryPhone":5550100,"reference":40021,"status":"Active","currency":"USD","customerAccountStatus":"Good","canChangeCurrency":false,` +
	`"customerReference":{"reference1":null,"reference2":"a/b é","reference3":"<x>","salesTrackingCodes":[` +
	`{"type":"Sales Tracking Code 1","code":"OLD","name":"Old guard","id":4413,"uri":"/v1/SalesTrackingCodes/4413","note":1.50},` +
	`{"type":"Region","code":"NORTH","name":"North","id":4414,"uri":"/v1/SalesTrackingCodes/4414"}],"id":7,"uri":"/v1/customers/7"},` +
	`"customerAcquisition":{"adContent":null,"campaign":"spring","keyword":null,"landingPage":null,"medium":null,"source":null,"id":7,"uri":"/v1/customers/7"},` +
	`"monthlyRecurringRevenue":25.9800,"netMonthlyRecurringRevenue":250,"parentId":null,"quickBooksId":null,"quickBooksLatchType":null,` +
	`"hubSpotId":51000000001,"hubSpotCompanyId":7300000001,"geotabId":"gt1","crmRecordId":9007199254740993123,` +
	`"modifiedTimestamp":"2025-01-02T03:04:05.1234567Z","createdTimestamp":"2018-01-01T03:33:33.02","id":7,"uri":"/v1/customers/7"}`

// peers are customers that others refer to or are compared with.
const peers = `{"id":8,"status":"Active","currency":"USD","reference":"AC-1","companyName":"Parent","uri":"/v1/customers/8"},` +
	`{"id":9,"status":"Active","currency":"CAD","reference":"AC-1","lastName":"Holm"},` +
	`{"id":10,"status":"Cancelled","currency":"USD","reference":"ac-1"},` +
	`{"id":11,"status":"Draft","currency":"USD","reference":null,"customerReference":null,"customerAcquisition":null}`

const smallSeed = "[" + odd + "," + peers + "]"

func open(t testing.TB, o Options) *Sandbox {
	t.Helper()
	if o.Seed == nil {
		o.Seed = []byte(smallSeed)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func sampleSeed(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../../samples/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func faultsOf(t testing.TB, specs ...string) []Fault {
	t.Helper()
	f, err := ParseFaults(specs)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func key(secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte("0:"+secret))
}

func request(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://sandbox.example.com"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", key("s3cret"))
	return r
}

type got struct {
	status int
	header http.Header
	body   string
	err    error // of the round trip or of reading the body
}

func (g got) message() string {
	return gjson.Get(g.body, "Errors.#.Value").String() + gjson.Get(g.body, "Message").String()
}

func send(s *Sandbox, r *http.Request) got {
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		return got{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return got{resp.StatusCode, resp.Header, string(body), err}
}

func get(t testing.TB, s *Sandbox, path string) got {
	t.Helper()
	return send(s, request(t, "GET", path, ""))
}

func find(t testing.TB, s *Sandbox, query string) got {
	t.Helper()
	return get(t, s, "/v1/customers?query="+url.QueryEscape(query))
}

func put(t testing.TB, s *Sandbox, body string) got {
	t.Helper()
	return send(s, request(t, "PUT", "/v1/customers", body))
}

func post(t testing.TB, s *Sandbox, path, body string) got {
	t.Helper()
	return send(s, request(t, "POST", path, body))
}

// admin is a Trackfinity request.
func admin(t testing.TB, method, path, form string) *http.Request {
	t.Helper()
	r := request(t, method, path, form)
	r.Header.Del("Authorization")
	r.Header.Set("api-key", "sandbox-trackfinity-key")
	r.Header.Set("api-username", "admin")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

const detailsPath = "/api/customer/set_customer_details"

func patch(t testing.TB, s *Sandbox, form string) got {
	t.Helper()
	return send(s, admin(t, "PATCH", detailsPath, form))
}

func affiliate(t testing.TB, s *Sandbox, id string) string {
	t.Helper()
	b, ok := s.Affiliate(id)
	if !ok {
		t.Fatalf("no affiliate %s", id)
	}
	return string(b)
}

// edit returns JSON with pairs of path and raw value set; the value "-" deletes.
func edit(t testing.TB, body string, pairs ...string) string {
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
	return body
}

func stored(t testing.TB, s *Sandbox, id string) string {
	t.Helper()
	b, ok := s.Customer(id)
	if !ok {
		t.Fatalf("no customer %s", id)
	}
	return string(b)
}

// still returns the record without the stamp that every write moves.
func still(t testing.TB, body string) string {
	t.Helper()
	return edit(t, body, "modifiedTimestamp", "0")
}
