package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey Secret = "MDpub3QtYS1yZWFsLWtleQ=="

// serve returns a client of a loopback server.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*Options)) *Fusebill {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport := NewTransport(2)
	t.Cleanup(transport.CloseIdleConnections)
	o := Options{BaseURL: server.URL + "/v1/", Key: testKey, Transport: transport, UserAgent: "rowbatch/test"}
	for _, f := range change {
		f(&o)
	}
	fb, err := NewFusebill(o)
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

func reply(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

func TestRequests(t *testing.T) {
	tests := []struct {
		name string
		call func(*Fusebill) Reply
		want string
	}{
		{"customer", func(f *Fusebill) Reply { return f.Customer(t.Context(), nil, "12") }, "GET /v1/customers/12 "},
		{"overview", func(f *Fusebill) Reply { return f.Overview(t.Context(), nil, "12") }, "GET /v1/customers/12/overview "},
		{"update", func(f *Fusebill) Reply { return f.Update(t.Context(), nil, []byte(`{"id":12,"x":1.50}`)) }, `PUT /v1/customers {"id":12,"x":1.50}`},
		{"list", func(f *Fusebill) Reply { return f.Customers(t.Context(), nil, Query{Page: 3, Size: 1000}) }, "GET /v1/customers?pageNumber=3&pageSize=1000 "},
		{"query", func(f *Fusebill) Reply {
			return f.Customers(t.Context(), nil, Query{Terms: "status:Active;firstName:A&B", Size: 1})
		},
			"GET /v1/customers?pageNumber=0&pageSize=1&query=status%3AActive%3BfirstName%3AA%26B "},
		{"hold", func(f *Fusebill) Reply { return f.Hold(t.Context(), nil, "12") }, "POST /v1/CustomerHold/12 "},
		{"un-hold", func(f *Fusebill) Reply { return f.Unhold(t.Context(), nil, "12", "NoChargesForMissedPeriods") },
			`POST /v1/customers/unHold {"customerId":12,"serviceStartOption":"NoChargesForMissedPeriods","preview":false}`},
		{"latch", func(f *Fusebill) Reply {
			return f.Latch(t.Context(), nil, []byte(`{"fusebillId":12,"hubSpotId":null,"hubSpotCompanyId":7}`))
		},
			`POST /v1/HubSpot/latchCustomer {"fusebillId":12,"hubSpotId":null,"hubSpotCompanyId":7}`},
		{"unlatch", func(f *Fusebill) Reply { return f.Unlatch(t.Context(), nil, "12") }, "POST /v1/HubSpot/UnlatchCustomer/12 "},
		{"tracking code", func(f *Fusebill) Reply { return f.TrackingCode(t.Context(), nil, "Sales Tracking Code 1", "E&B") }, "GET /v1/SalesTrackingCodes?code=E%26B&type=Sales+Tracking+Code+1 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			arrived := make(chan *http.Request, 1)
			var got string
			fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)
				arrived <- r
				answer := `{"id":12}`
				if strings.Contains(r.RequestURI, "pageSize") {
					answer = `[]`
				}
				w.Header().Set("X-Count", "7")
				io.WriteString(w, "\xef\xbb\xbf"+answer)
			})
			rep := tt.call(fb)
			if rep.Class != Answered || rep.Status != 200 || rep.Requests != 1 || rep.Header.Get("X-Count") != "7" || !json.Valid(rep.Body) {
				t.Errorf("%+v", rep)
			}
			head := (<-arrived).Header
			if got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
			if head.Get("Authorization") != "Basic "+testKey.Reveal() || head.Get("User-Agent") != "rowbatch/test" || head.Get("Idempotency-Key") != "" {
				t.Errorf("header %v", head)
			}
			if written := strings.HasSuffix(tt.want, "}"); written != (head.Get("Content-Type") == "application/json") {
				t.Errorf("content type %q", head.Get("Content-Type"))
			}
			if empty := strings.HasPrefix(tt.want, "POST") && strings.HasSuffix(tt.want, " "); empty && head.Get("Content-Length") != "0" {
				t.Errorf("content length %q", head.Get("Content-Length"))
			}
		})
	}
}

func TestCallsThatMakeNoRequest(t *testing.T) {
	fb := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for _, id := range []string{"", "0", "007", "12/overview", "1e3", "-1", "١"} {
		for name, rep := range map[string]Reply{
			"customer": fb.Customer(t.Context(), nil, id), "hold": fb.Hold(t.Context(), nil, id),
			"un-hold": fb.Unhold(t.Context(), nil, id, ServiceStartOptions()[0]), "unlatch": fb.Unlatch(t.Context(), nil, id),
		} {
			if rep.Class != Refused || rep.Requests != 0 {
				t.Errorf("%s, id %q: %+v", name, id, rep)
			}
		}
	}
	for _, option := range []string{"", "nochargesformissedperiods", "NoChargesForMissedPeriods ", `x","preview":true,"y":"`} {
		if rep := fb.Unhold(t.Context(), nil, "12", option); rep.Class != Refused || !strings.Contains(rep.Err.Error(), "ChargeForAllMissedPeriods, ") {
			t.Errorf("option %q: %+v", option, rep)
		}
	}
	for body, text := range map[string]string{
		``: "not a JSON object", `[]`: "not a JSON object", `{"fusebillId":1`: "not a JSON object",
		`{"fusebillId":1,"hubSpotId":2}`:                                           "lacks hubSpotCompanyId, which would be cleared",
		`{"fusebillId":1,"hubSpotCompanyId":2}`:                                    "lacks hubSpotId",
		`{"fusebillId":1,"HubSpotId":2,"hubSpotCompanyId":2}`:                      "lacks hubSpotId",
		`{"hubSpotId":1,"hubSpotCompanyId":2}`:                                     "lacks fusebillId",
		`{"fusebillId":null,"hubSpotId":1,"hubSpotCompanyId":2}`:                   "proper number as fusebillId",
		`{"fusebillId":1,"hubSpotId":"","hubSpotCompanyId":2}`:                     "proper number as hubSpotId",
		`{"fusebillId":1,"hubSpotId":1,"hubSpotCompanyId":2.5}`:                    "proper number as hubSpotCompanyId",
		`{"fusebillId":1,"hubSpotId":1,"hubSpotCompanyId":2,"hubSpotId":null}`:     `"hubSpotId" twice`,
		`{"fusebillId":1,"hubSpotId":{"id":1},"hubSpotCompanyId":{"x":[],"y":{}}}`: "proper number",
	} {
		var record *RecordError
		if rep := fb.Latch(t.Context(), nil, []byte(body)); rep.Class != Refused || !errors.As(rep.Err, &record) || !strings.Contains(record.Text, text) {
			t.Errorf("latch %s: %+v, want %q", body, rep, text)
		}
	}
	for _, body := range []string{"", "{}", `{"id":0}`, `[{"id":1}]`, `{"id":1`} {
		if rep := fb.Update(t.Context(), nil, []byte(body)); rep.Class != Refused {
			t.Errorf("body %q: %+v", body, rep)
		}
	}
	if _, rep := fb.Find(t.Context(), nil, "reference", "a|b"); rep.Class != Refused {
		t.Errorf("%+v", rep)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if rep := fb.Customer(ended, nil, "1"); rep.Class != Unsent || !errors.Is(rep.Err, context.Canceled) {
		t.Errorf("%+v", rep)
	}
}

func TestFind(t *testing.T) {
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.FormValue("query"); got != "reference:A C&1" {
			t.Errorf("query %q", got)
		}
		io.WriteString(w, `[{"id":5,"reference":"a c&1"},{"id":6,"reference":"A C&1"}]`)
	})
	m, rep := fb.Find(t.Context(), nil, "reference", "A C&1")
	if rep.Class != Answered || len(m.IDs) != 1 || m.IDs[0] != "6" || string(m.Rows[0]) != `{"id":6,"reference":"A C&1"}` {
		t.Errorf("%v, %+v", m, rep)
	}
	broken := serve(t, reply(`[{"reference":"x"}]`))
	if _, rep := broken.Find(t.Context(), nil, "reference", "x"); rep.Class != Lost || rep.Body != nil {
		t.Errorf("%+v", rep)
	}
}

func TestReadOnly(t *testing.T) {
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s left", r.Method)
		}
		io.WriteString(w, customerJSON)
	}, func(o *Options) { o.ReadOnly = true })
	if rep := fb.Customer(t.Context(), nil, "12"); rep.Class != Answered {
		t.Errorf("read: %+v", rep)
	}
	for name, rep := range map[string]Reply{
		"update": fb.Update(t.Context(), nil, []byte(`{"id":12}`)), "hold": fb.Hold(t.Context(), nil, "12"),
		"un-hold": fb.Unhold(t.Context(), nil, "12", ServiceStartOptions()[0]), "unlatch": fb.Unlatch(t.Context(), nil, "12"),
		"latch": fb.Latch(t.Context(), nil, []byte(`{"fusebillId":12,"hubSpotId":1,"hubSpotCompanyId":null}`)),
	} {
		if rep.Class != Refused || rep.Requests != 0 || !errors.Is(rep.Err, ErrReadOnly) {
			t.Errorf("%s: %+v", name, rep)
		}
	}
}

// A web page is a passing trouble once the API has answered at this address.
func TestTrustIsRemembered(t *testing.T) {
	var page atomic.Bool
	fb := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if page.Load() {
			io.WriteString(w, "<html>maintenance</html>")
			return
		}
		io.WriteString(w, customerJSON)
	})
	fb.Customer(t.Context(), nil, "12")
	page.Store(true)
	if rep := fb.Customer(t.Context(), nil, "12"); rep.Class != Lost {
		t.Errorf("%s: %v", rep.Class, rep.Err)
	}
}
