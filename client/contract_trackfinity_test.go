package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client"
	"rowbatch/client/sandbox"
)

// The client against the stand-in of a Trackfinity install.

func install(t *testing.T, h http.Handler, change ...func(*client.Options)) *client.Trackfinity {
	t.Helper()
	server := httptest.NewServer(h)
	transport := client.NewTransport(2)
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	o := client.Options{BaseURL: server.URL + "/api", Key: "invented-key", Username: "ada", Timeout: 10 * time.Second, Transport: transport}
	for _, f := range change {
		f(&o)
	}
	tf, err := client.NewTrackfinity(o)
	if err != nil {
		t.Fatal(err)
	}
	return tf
}

// patch sends a form, written as in a URL.
func patch(t *testing.T, tf *client.Trackfinity, form string) client.Reply {
	t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	return tf.SetCustomerDetails(t.Context(), nil, values)
}

func notTrue(text string) meaning { return meaning{client.Refused, 200, "not true", text} }

func (m meaning) holdOfTrackfinity(t *testing.T, rep client.Reply) {
	t.Helper()
	if m.kind != "not true" {
		m.hold(t, rep)
		return
	}
	var not *client.NotTrueError
	if rep.Class != m.class || !errors.As(rep.Err, &not) || not.Status != m.status || !strings.Contains(not.Text, m.text) {
		t.Errorf("%s: %v; want %s, %s", rep.Class, rep.Err, m.class, m.text)
	}
}

func TestContractPatches(t *testing.T) {
	taken := meaning{client.Answered, 200, "", ""}
	refused := func(status int, text string) meaning { return meaning{client.Refused, status, "api", text} }
	unsent := func(text string) meaning { return meaning{client.Refused, 0, "record", text} }
	tests := []struct {
		name, form string
		want       meaning
		shows      string // a path of customer 4102 and the raw value there
	}{
		{"a field", "customer_id=4102&firstname=Ada", taken, `firstname "Ada"`},
		{"by subscription", "subscription_id=S-4102&zip=00501", taken, `zip "00501"`},
		{"other letters", "customer_id=4102&city=Z%C3%BCrich+%26+%3D%3B%25", taken, `city "Zürich & =;%"`},
		{"cleared", "customer_id=4102&custom2=REMOVE", taken, `custom2 null`},
		{"unknown customer", "customer_id=9&city=Ash", refused(404, "refused with 404: Invalid parameter: customer_id"), ""},
		{"unknown field", "customer_id=4102&phone=1", refused(404, "Invalid parameter: phone"), ""},
		{"locked", "customer_id=4195&city=Ash", notTrue("false"), ""},
		{"both keys", "customer_id=4102&subscription_id=S-4102&city=Ash", unsent("either customer_id or subscription_id"), ""},
		{"no key", "city=Ash", unsent("either"), ""},
		{"no field", "customer_id=4102", unsent("changes nothing"), ""},
		{"empty", "customer_id=4102&city=", unsent("empty value for city"), ""},
		{"password cleared", "customer_id=4102&password=REMOVE", unsent("a password cannot be removed"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stand(t, sandbox.Options{})
			rep := patch(t, install(t, s), tt.form)
			tt.want.holdOfTrackfinity(t, rep)
			after, _ := s.Affiliate("4102")
			path, raw, _ := strings.Cut(tt.shows, " ")
			if got := gjson.GetBytes(after, path).Raw; got != raw {
				t.Errorf("%s is %s, want %s", path, got, raw)
			}
			if took := rep.Class == client.Answered; took != (len(s.Effects()) == 1) {
				t.Errorf("%d effects", len(s.Effects()))
			}
			if n := s.Requests(); n.Writes != rep.Requests {
				t.Errorf("%d writes arrived, %d were counted", n.Writes, rep.Requests)
			}
		})
	}
}

func TestContractTrackfinityAccess(t *testing.T) {
	denied := func(status int, text string) meaning { return meaning{client.NoAccess, status, "access", text} }
	s := stand(t, sandbox.Options{})
	with := func(change func(*client.Options)) *client.Trackfinity { return install(t, s, change) }
	tests := []struct {
		name string
		tf   *client.Trackfinity
		want meaning // of a ping and of a patch
	}{
		{"revoked key", with(func(o *client.Options) { o.Key = "revoked" }), denied(200, "a web page came instead of the API: <!DOCTYPE html>")},
		{"wrong path", with(func(o *client.Options) { o.BaseURL += "/v2" }), denied(404, "check the URL, which ends in /api, the key, the user name")},
		{"address not listed", install(t, stand(t, sandbox.Options{}, "any:403")), denied(403, "ADMIN_API_ALLOWED_IPS")},
		{"redirect", install(t, stand(t, sandbox.Options{}, "any:redirect")), denied(302, "login.example.com, which is not followed (try: check the URL, the key")},
		{"maintenance", install(t, stand(t, sandbox.Options{}, "any:html")), denied(200, "We will be back soon.")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, rep := range []client.Reply{patch(t, tt.tf, "customer_id=4102&city=Ash"), tt.tf.Ping(t.Context(), nil)} {
				tt.want.hold(t, rep)
				if !client.EndsRun(rep.Err) {
					t.Errorf("%v does not end the run", rep.Err)
				}
			}
		})
	}
	if n := len(s.Effects()); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestContractPing(t *testing.T) {
	tests := map[string]meaning{
		"":            {client.Answered, 200, "", ""},
		"empty":       {client.Answered, 200, "", ""},
		"400":         {client.NoAccess, 400, "access", "400 Bad Request where the API would have answered 200: Bad Request. (try: check the URL"},
		"401":         {client.NoAccess, 401, "access", "check the key"},
		"404":         {client.NoAccess, 404, "access", "404 Not Found where"},
		"429":         {client.Throttled, 429, "throttled", ""},
		"502":         {client.Lost, 502, "lost", "502"},
		"lost-before": {client.Lost, 0, "lost", "broke"},
	}
	for how, want := range tests {
		t.Run(how, func(t *testing.T) {
			var faults []string
			if how != "" {
				faults = []string{"ping:" + how}
			}
			want.hold(t, install(t, stand(t, sandbox.Options{}, faults...)).Ping(t.Context(), nil))
		})
	}
}

func TestContractPatchMisbehaviour(t *testing.T) {
	lost := func(status int, text string) meaning { return meaning{client.Lost, status, "lost", text} }
	tests := []struct {
		how  string
		want meaning
		took int // effects
	}{
		{"500", lost(500, "500"), 0},
		{"502-after", lost(502, "502"), 1},
		{"lost-before", lost(0, "connection broke"), 0},
		{"lost-after", lost(0, "connection broke"), 1},
		{"truncated", lost(200, "broke off"), 1},
		{"html", lost(200, "a web page came instead of the API's answer"), 0},
		{"html-after", lost(200, "a web page"), 1},
		{"empty", lost(200, "the answer is empty"), 1},
		{"slow=1h", lost(0, "no complete answer within 100ms"), 0},
		{"null", notTrue("null"), 1},
		{"false", notTrue("false"), 0},
		{"object", notTrue(`{"result":"Success"`), 1},
		{"400", meaning{client.Refused, 400, "api", "400: Bad Request."}, 0},
		{"404", meaning{client.Refused, 404, "api", "404: Not Found."}, 0},
		{"429", meaning{client.Throttled, 429, "throttled", ""}, 0},
		{"403", meaning{client.NoAccess, 403, "access", "403"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.how, func(t *testing.T) {
			s := stand(t, sandbox.Options{}, "patch:"+tt.how)
			tf := install(t, s, func(o *client.Options) {
				if strings.HasPrefix(tt.how, "slow") {
					o.Timeout = 100 * time.Millisecond
				}
			})
			meaning{client.Answered, 200, "", ""}.hold(t, tf.Ping(t.Context(), nil))
			rep := patch(t, tf, "customer_id=4102&city=Ash")
			tt.want.holdOfTrackfinity(t, rep)
			if n := len(s.Effects()); n != tt.took {
				t.Errorf("%d effects, want %d", n, tt.took)
			}
			if n := s.Requests(); n.Writes != 1 || rep.Requests != 1 {
				t.Errorf("%d writes arrived, %d were counted", n.Writes, rep.Requests)
			}
		})
	}
}

// An install that repeats the form does not get the password into a message.
func TestContractPasswordsAreNotRepeated(t *testing.T) {
	tf := install(t, stand(t, sandbox.Options{}, "patch:echo"))
	const leftOut = "(left out: it may repeat a secret)"
	for password, want := range map[string]string{
		"p%22w+<ö>": leftOut,
		"abc":       leftOut,
	} {
		form := url.Values{"customer_id": {"4102"}, "city": {"Ash"}, "password": {password}}
		rep := tf.SetCustomerDetails(t.Context(), nil, form)
		meaning{client.Refused, 404, "api", want}.hold(t, rep)
		if text := rep.Err.Error(); strings.Contains(text, password) || strings.Contains(text, url.QueryEscape(password)) {
			t.Errorf("%s repeats %s", text, password)
		}
	}
}
