package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// affiliate returns a client of a loopback server.
func affiliate(t *testing.T, handler http.HandlerFunc, change ...func(*Options)) *Trackfinity {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport := NewTransport(2)
	t.Cleanup(transport.CloseIdleConnections)
	o := Options{BaseURL: server.URL + "/api/", Key: "tf-key", Username: "ada", Transport: transport, UserAgent: "rowbatch/test"}
	for _, f := range change {
		f(&o)
	}
	tf, err := NewTrackfinity(o)
	if err != nil {
		t.Fatal(err)
	}
	return tf
}

func TestTrackfinityRequests(t *testing.T) {
	var log bytes.Buffer
	var got string
	var head http.Header
	tf := affiliate(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, head = fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body), r.Header
		if r.Method == http.MethodPatch {
			io.WriteString(w, "true\n")
		}
	}, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	tests := []struct {
		call             func() Reply
		want, kind, body string
	}{
		{func() Reply { return tf.Ping(t.Context(), nil) }, "GET /api/service/ping ", "", ""},
		{func() Reply {
			return tf.SetCustomerDetails(t.Context(), nil, url.Values{"customer_id": {"4102"}, "zip": {"00501"}, "custom2": {"REMOVE"}, "firstname": {"Zoë & Co"}, "password": {"hunter2"}})
		}, "PATCH /api/customer/set_customer_details custom2=REMOVE&customer_id=4102&firstname=Zo%C3%AB+%26+Co&password=hunter2&zip=00501", "application/x-www-form-urlencoded", "true\n"},
		{func() Reply {
			return tf.SetCustomerDetails(t.Context(), nil, url.Values{"subscription_id": {"S-4102"}, "city": {" Ash "}})
		}, "PATCH /api/customer/set_customer_details city=+Ash+&subscription_id=S-4102", "application/x-www-form-urlencoded", "true\n"},
	}
	for _, tt := range tests {
		rep := tt.call()
		if rep.Class != Answered || rep.Status != 200 || rep.Requests != 1 || rep.Err != nil || string(rep.Body) != tt.body {
			t.Errorf("%+v", rep)
		}
		if got != tt.want {
			t.Errorf("sent %q, want %q", got, tt.want)
		}
		if head.Get("api-key") != "tf-key" || head.Get("api-username") != "ada" || head.Get("Authorization") != "" || head.Get("User-Agent") != "rowbatch/test" || head.Get("Content-Type") != tt.kind {
			t.Errorf("header %v", head)
		}
	}
	for _, want := range []string{"method=PATCH path=/customer/set_customer_details status=200", "sent=84 received=5 class=answered", "path=/service/ping"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log.String())
		}
	}
	for _, not := range []string{"tf-key", "4102", "hunter2", "Zo"} {
		if strings.Contains(log.String(), not) {
			t.Errorf("%q stands in the log: %s", not, log.String())
		}
	}
}

func TestFormsThatDoNotLeave(t *testing.T) {
	tf := affiliate(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for text, form := range map[string]string{
		"an empty value for city":                      "customer_id=1&city=",
		"an empty value for zip":                       "customer_id=1&zip=+%09",
		"an empty value for customer_id":               "customer_id=&city=Ash",
		"2 values for city":                            "customer_id=1&city=Ash&city=Elm",
		"a password cannot be removed":                 "customer_id=1&password=REMOVE",
		"password cannot be removed (try":              "customer_id=1&password=+remove",
		"either customer_id or subscription_id":        "city=Ash",
		"must hold either customer_id or subscription": "customer_id=1&subscription_id=2&city=Ash",
		"changes nothing":                              "subscription_id=1",
		"form must hold":                               "",
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		rep := tf.SetCustomerDetails(t.Context(), nil, values)
		var record *RecordError
		if rep.Class != Refused || rep.Requests != 0 || !errors.As(rep.Err, &record) || !strings.Contains(rep.Err.Error(), text) {
			t.Errorf("%s: %+v, want %q", form, rep, text)
		}
		if strings.Contains(rep.Err.Error(), "Ash") {
			t.Errorf("%v repeats a value", rep.Err)
		}
	}
}

func TestTrackfinityReadOnly(t *testing.T) {
	tf := affiliate(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s left", r.Method)
		}
	}, func(o *Options) { o.ReadOnly = true })
	if rep := tf.Ping(t.Context(), nil); rep.Class != Answered {
		t.Errorf("ping: %+v", rep)
	}
	if rep := tf.SetCustomerDetails(t.Context(), nil, details()); rep.Class != Refused || rep.Requests != 0 || !errors.Is(rep.Err, ErrReadOnly) {
		t.Errorf("patch: %+v", rep)
	}
}

func details() url.Values { return url.Values{"customer_id": {"4102"}, "city": {"Ash"}} }

// Until the address has answered properly, a web page shows that it is the wrong one.
func TestAPingMakesTheAddressTrusted(t *testing.T) {
	tf := affiliate(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "<html>Invalid parameter</html>")
		}
	})
	var access *AccessError
	if rep := tf.SetCustomerDetails(t.Context(), nil, details()); rep.Class != NoAccess || !errors.As(rep.Err, &access) || !EndsRun(rep.Err) {
		t.Errorf("before: %s: %v", rep.Class, rep.Err)
	}
	if rep := tf.Ping(t.Context(), nil); rep.Class != Answered {
		t.Errorf("ping: %s: %v", rep.Class, rep.Err)
	}
	var refused *APIError
	if rep := tf.SetCustomerDetails(t.Context(), nil, details()); rep.Class != Refused || !errors.As(rep.Err, &refused) || refused.Raw != "<html>Invalid parameter</html>" {
		t.Errorf("after: %s: %v", rep.Class, rep.Err)
	}
}

func TestNotTrueTellsWhatCame(t *testing.T) {
	long := `"` + strings.Repeat("x", 500) + `\u001b hunter2"`
	tf := affiliate(t, reply(long))
	for password, want := range map[string]string{
		strings.Repeat("x", 600): `"` + strings.Repeat("x", 299) + "…",
		strings.Repeat("x", 200): leftOut, // and more than that is said
	} {
		form := details()
		form.Set("password", password)
		rep := tf.SetCustomerDetails(t.Context(), nil, form)
		var not *NotTrueError
		if !errors.As(rep.Err, &not) || rep.Class != Refused || not.Status != 200 || rep.Body != nil {
			t.Fatalf("%+v", rep)
		}
		if not.Text != want {
			t.Errorf("it says %q", not.Text)
		}
		if EndsRun(rep.Err) {
			t.Error("a row's trouble ends the run")
		}
	}
}
