package client_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client"
	"rowbatch/client/sandbox"
)

const noCharge = "NoChargesForMissedPeriods"

// act is a write of a customer by name: hold, unhold, unlatch, or latch and the two ids after a space.
func act(t *testing.T, fb *client.Fusebill, what, id string) client.Reply {
	t.Helper()
	kind, ids, _ := strings.Cut(what, " ")
	switch contact, company, _ := strings.Cut(ids, ","); kind {
	case "hold":
		return fb.Hold(t.Context(), nil, id)
	case "unhold":
		return fb.Unhold(t.Context(), nil, id, noCharge)
	case "unlatch":
		return fb.Unlatch(t.Context(), nil, id)
	default:
		return fb.Latch(t.Context(), nil, []byte(`{"fusebillId":`+id+`,"hubSpotId":`+contact+`,"hubSpotCompanyId":`+company+`}`))
	}
}

func TestContractActions(t *testing.T) {
	refused := func(status int, text string) meaning { return meaning{client.Refused, status, "api", text} }
	taken := meaning{client.Answered, 200, "", ""}
	unknown := refused(404, "refused with 404: Customer with id 99 not found.")
	tests := []struct {
		name, what, id string
		want           meaning
		status, links  string // of the record afterwards
	}{
		{"hold", "hold", "7", taken, "Hold", "[51000000001]"},
		{"hold what is on hold", "hold", "11", refused(409, "409: Customer 11 cannot be put on hold"), "Hold", "[]"},
		{"hold one cancelled", "hold", "10", refused(409, "its status is Cancelled"), "Cancelled", "[]"},
		{"hold nobody", "hold", "99", unknown, "", ""},
		{"un-hold", "unhold", "11", taken, "Active", "[]"},
		{"un-hold one active", "unhold", "7", refused(409, "Customer 7 is not on hold: its status is Active."), "Active", "[51000000001]"},
		{"un-hold nobody", "unhold", "99", unknown, "", ""},
		{"latch both", "latch 101,202", "8", taken, "Active", "[101,202]"},
		{"latch one", "latch 101,null", "8", taken, "Active", "[101,null]"},
		{"clear both", "latch null,null", "7", taken, "Active", "[null,null]"},
		{"unknown contact", "latch 10000,null", "8", refused(400, "400: The was an error getting the contact from HubSpot: resource not found"), "Active", "[]"},
		{"unknown company", "latch 101,10000", "8", refused(400, "getting the company"), "Active", "[]"},
		{"contact of another", "latch 51000000001,null", "8", refused(409, "HubSpot contact 51000000001 is already linked to customer 7."), "Active", "[]"},
		{"latch nobody", "latch 101,null", "99", unknown, "", ""},
		{"unlatch", "unlatch", "7", taken, "Active", "[null,null]"},
		{"unlatch nobody", "unlatch", "99", unknown, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stand(t, sandbox.Options{})
			s.Edit("11", func(b []byte) []byte { return edited(t, string(b), "status", `"Hold"`) })
			rep := act(t, serving(t, s), tt.what, tt.id)
			tt.want.hold(t, rep)
			after, _ := s.Customer(tt.id)
			if rep.Class == client.Answered && string(rep.Body) != string(after) {
				t.Errorf("the reply is %s, the record %s", rep.Body, after)
			}
			if got := gjson.GetBytes(after, "status").Str; got != tt.status {
				t.Errorf("status %s, want %s", got, tt.status)
			}
			if got := gjson.GetBytes(after, "[hubSpotId,hubSpotCompanyId]").Raw; got != tt.links {
				t.Errorf("links %s, want %s", got, tt.links)
			}
			if n := s.Requests(); n.Writes != 1 || rep.Requests != 1 || rep.Header.Get("X-Rate-Limit-Remaining-Minute") == "" {
				t.Errorf("%d writes arrived, %d were counted, header %v", n.Writes, rep.Requests, rep.Header)
			}
		})
	}
}

func TestContractActionsMisbehaviour(t *testing.T) {
	lost := func(status int, text string) meaning { return meaning{client.Lost, status, "lost", text} }
	tests := []struct {
		how  string
		want meaning
		took int // effects
	}{
		{"500", lost(500, "answered 500 Internal Server Error"), 0},
		{"503-after", lost(503, "Service Unavailable"), 1},
		{"lost-before", lost(0, "connection broke before the answer came"), 0},
		{"lost-after", lost(0, "connection broke before the answer came"), 1},
		{"truncated", lost(200, "the answer broke off"), 1},
		{"html", lost(200, "a web page came instead of the API's answer"), 0},
		{"html-after", lost(200, "a web page came"), 1},
		{"null", lost(200, "not of the kind asked for"), 1},
		{"empty", lost(200, "the answer is empty"), 1},
		{"wrong-id", lost(200, "customer 7 was asked for, and another answer came: id 17"), 1},
		{"slow=1h", lost(0, "no complete answer within 100ms"), 0},
		{"429", meaning{client.Throttled, 429, "throttled", "limit is used up"}, 0},
		{"401", meaning{client.NoAccess, 401, "access", "check that the key"}, 0},
		{"redirect", meaning{client.NoAccess, 302, "access", "login.example.com, which is not followed"}, 0},
	}
	for _, tt := range tests {
		for _, what := range []string{"hold", "unhold", "latch 101,202", "unlatch"} {
			kind, _, _ := strings.Cut(what, " ")
			t.Run(tt.how+"/"+kind, func(t *testing.T) {
				s := stand(t, sandbox.Options{}, kind+":"+tt.how)
				fb := serving(t, s, impatient(tt.how))
				if kind == "unhold" {
					s.Edit("7", func(b []byte) []byte { return edited(t, string(b), "status", `"Hold"`) })
				}
				before := len(s.Effects())
				fb.Customer(t.Context(), nil, "7") // shows that this address is the API's
				rep := act(t, fb, what, "7")
				tt.want.hold(t, rep)
				if n := len(s.Effects()) - before; n != tt.took {
					t.Errorf("%d effects, want %d", n, tt.took)
				}
				if n := s.Requests(); n.Writes != 1 || rep.Requests != 1 {
					t.Errorf("%d writes arrived, %d were counted", n.Writes, rep.Requests)
				}
			})
		}
	}
}

// impatient gives up on a slow server soon.
func impatient(how string) func(*client.Options) {
	return func(o *client.Options) {
		if strings.HasPrefix(how, "slow") {
			o.Timeout = 100 * time.Millisecond
		}
	}
}

// A POST without a body says so, as the vendor's samples do.
func TestContractPostsWithoutABody(t *testing.T) {
	s := stand(t, sandbox.Options{})
	var lengths []string
	fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lengths = append(lengths, r.Header.Get("Content-Length")+strings.Join(r.TransferEncoding, ","))
		s.ServeHTTP(w, r)
	}))
	fb.Hold(t.Context(), nil, "7")
	fb.Unlatch(t.Context(), nil, "7")
	if got := strings.Join(lengths, " "); got != "0 0" || len(s.Effects()) != 2 {
		t.Errorf("content lengths %q, %d effects", got, len(s.Effects()))
	}
}
