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
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// affiliate returns a client of a loopback server.
func affiliate(t *testing.T, handler http.HandlerFunc, change ...func(*TrackfinityOptions)) *Trackfinity {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport := NewTransport(2)
	t.Cleanup(transport.CloseIdleConnections)
	o := TrackfinityOptions{BaseURL: server.URL + "/api/", Key: "tf-key", Username: "ada", Transport: transport, UserAgent: "rowbatch/test"}
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
	}, func(o *TrackfinityOptions) {
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
	}, func(o *TrackfinityOptions) { o.ReadOnly = true })
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
	form := details()
	form.Set("password", strings.Repeat("x", 200)) // and more than that is said
	rep := tf.SetCustomerDetails(t.Context(), nil, form)
	var not *NotTrueError
	if !errors.As(rep.Err, &not) || rep.Class != Refused || not.Status != 200 || rep.Body != nil {
		t.Fatalf("%+v", rep)
	}
	if not.Text != `"******`+strings.Repeat("x", 100)+`\u001b hunter2"` {
		t.Errorf("it says %q", not.Text)
	}
	if EndsRun(rep.Err) {
		t.Error("a row's trouble ends the run")
	}
}

// Nothing is known of an install's limits: one request goes ahead, then five a
// second, and a 429 holds all of them up.
func TestTrackfinityPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 1000, 1)
		f.latency = func() time.Duration { return 150 * time.Millisecond } // each way
		alone := 0
		f.fault = func(n int, _ *http.Request) *verbatim {
			switch n {
			case 1:
				alone = f.most
			case 31:
				return &verbatim{status: http.StatusTooManyRequests}
			}
			return &verbatim{status: http.StatusOK, body: "true", after: 300 * time.Millisecond}
		}
		g := NewGovernor(Limits{Rate: TrackfinityRate})
		tf, err := NewTrackfinity(TrackfinityOptions{BaseURL: "https://tracking.example.com/api", Key: "tf-key", Username: "ada", Transport: f, Governor: g})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 8 {
					for tf.SetCustomerDetails(t.Context(), nil, details()).Class != Answered {
					}
				}
			})
		}
		group.Wait()
		if alone != 1 || f.most < 2 {
			t.Errorf("in flight before the first answer: %d, later %d; want 1, and several", alone, f.most)
		}
		if first := f.times[1].Sub(f.times[0]); first < 600*time.Millisecond {
			t.Errorf("the second request left %s after the first, before its answer", first)
		}
		for n := 7; n < len(f.times); n++ { // five in any second, and one whose turn had come while nothing might leave
			if gap := f.times[n].Sub(f.times[n-6]); gap < 990*time.Millisecond {
				t.Errorf("requests %d to %d within %s", n-6, n, gap)
			}
		}
		if took := f.times[29].Sub(f.times[1]); took > 6*time.Second {
			t.Errorf("28 requests took %s, want 5 a second", took)
		}
		var pauses []time.Duration
		for n := 30; n+1 < len(f.times); n++ {
			if gap := f.times[n+1].Sub(f.times[n]); gap > 10*time.Second {
				pauses = append(pauses, gap)
			}
		}
		if len(pauses) != 1 || pauses[0] < 55*time.Second || len(f.times) != 65 {
			t.Errorf("pauses %v in %d requests; want one of a minute in 65", pauses, len(f.times))
		}
	})
}
