package client_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rowbatch/client"
	"rowbatch/client/sandbox"
)

// One 404 in other words than the API's may be about a customer; of two the address is the reason.
func TestContractOfAPathThatIsNone(t *testing.T) {
	s := stand(t, sandbox.Options{})
	fb := serving(t, s, func(o *client.Options) { o.BaseURL = strings.TrimSuffix(o.BaseURL, "1") + "9" })
	for range 3 { // the same one again tells nothing new
		meaning{client.Refused, 404, "api", "refused with 404: No HTTP resource was found"}.hold(t, fb.Customer(t.Context(), nil, "7"))
	}
	meaning{client.NoAccess, 404, "access", "/v9: the server answers 404"}.hold(t, fb.Customer(t.Context(), nil, "8"))

	fb = serving(t, s, func(o *client.Options) { o.BaseURL = strings.TrimSuffix(o.BaseURL, "1") + "9" })
	page := client.Query{Size: 10}
	meaning{client.Refused, 404, "api", "No HTTP resource"}.hold(t, fb.Customers(t.Context(), nil, page))
	meaning{client.NoAccess, 404, "access", "/v9: the server answers 404"}.hold(t, fb.Customers(t.Context(), nil, page)) // nobody is missing there

	fb = serving(t, stand(t, sandbox.Options{}, "get:404:at=1", "get:no-route:after=1"))
	meaning{client.Refused, 404, "api", "Not Found."}.hold(t, fb.Customer(t.Context(), nil, "1")) // the API's own words
	for range 2 {
		rep := fb.Customer(t.Context(), nil, "7")
		meaning{client.Refused, 404, "api", "No HTTP resource"}.hold(t, rep)
		if said, is := errors.AsType[*client.APIError](rep.Err); !is || said.Astray {
			t.Errorf("%#v is about the address, which is known to be right", rep.Err)
		}
		meaning{client.Refused, 404, "api", "No HTTP resource"}.hold(t, fb.Customer(t.Context(), nil, "8"))
	}
}

func TestContractAccess(t *testing.T) {
	const revoked, malformed client.Secret = "MDpyZXZva2Vk", "bm8ta2V5"
	denied := func(status int, text string) meaning { return meaning{client.NoAccess, status, "access", text} }
	withKey := func(key client.Secret) func(*client.Options) { return func(o *client.Options) { o.Key = key } }
	s := stand(t, sandbox.Options{})
	keyless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { r.Header.Del("Authorization"); s.ServeHTTP(w, r) })
	tests := []struct {
		name string
		fb   *client.Fusebill
		want meaning
	}{
		{"missing key", serving(t, keyless), denied(401, "refused with 401: Authorization has been denied for this request. (try: check that the key")},
		{"revoked key", serving(t, s, withKey(revoked)), denied(401, "not replaced since")},
		{"badly formed key", serving(t, s, withKey(malformed)), denied(400, "Authorization key is not in the correct format.")},
		{"forbidden", serving(t, stand(t, sandbox.Options{}, "any:403")), denied(403, "refused with 403")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, rep := range []client.Reply{tt.fb.Customer(t.Context(), nil, "7"), tt.fb.Update(t.Context(), nil, []byte(stored(t, s, "7")))} {
				tt.want.hold(t, rep)
				if text := rep.Err.Error(); strings.Contains(text, issuedKey.Reveal()) || strings.Contains(text, malformed.Reveal()) {
					t.Errorf("the key stands in %q", text)
				}
			}
		})
	}
	if n := len(s.Effects()); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestContractLimits(t *testing.T) {
	everyOther := func(time.Time) int { return 5 } // others have used the minute up, whichever minute it is
	s := stand(t, sandbox.Options{Minute: 5, Day: 1000, OtherUsers: everyOther, ResetForm: "unix"})
	fb := serving(t, s)
	for _, rep := range []client.Reply{fb.Customer(t.Context(), nil, "7"), fb.Update(t.Context(), nil, []byte(stored(t, s, "7")))} {
		meaning{client.Throttled, 429, "throttled", "limit is used up: Rate limit of 5 requests per minute exceeded."}.hold(t, rep)
		for name, want := range map[string]string{"Limit-Minute": "5", "Remaining-Minute": "0", "Limit-Day": "1000"} {
			if got := rep.Header.Get("X-Rate-Limit-" + name); got != want {
				t.Errorf("%s is %q, want %s", name, got, want)
			}
		}
		if rep.Header.Get("X-Rate-Limit-Reset-Minute") == "" {
			t.Error("no reset")
		}
	}
	if n := len(s.Effects()); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestContractMisbehaviour(t *testing.T) {
	lost := func(status int, text string) meaning { return meaning{client.Lost, status, "lost", text} }
	tests := []struct {
		how  string
		want meaning // of a read and of a write
		took int     // effects of the write
	}{
		{"500", lost(500, "answered 500 Internal Server Error"), 0},
		{"500-after", lost(500, "answered 500"), 1},
		{"502", lost(502, "Bad Gateway"), 0},
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
		{"409", meaning{client.Refused, 409, "api", "refused with 409: Conflict."}, 0},
		{"redirect", meaning{client.NoAccess, 302, "access", "login.example.com, which is not followed (try: check the URL)"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.how, func(t *testing.T) {
			s := stand(t, sandbox.Options{}, "get:"+tt.how+":after=1", "put:"+tt.how)
			fb := serving(t, s, func(o *client.Options) {
				if strings.HasPrefix(tt.how, "slow") {
					o.Timeout = 100 * time.Millisecond
				}
			})
			body := []byte(stored(t, s, "7"))
			first := fb.Customer(t.Context(), nil, "7") // shows that this address is the API's
			read := fb.Customer(t.Context(), nil, "7")
			write := fb.Update(t.Context(), nil, body)
			meaning{client.Answered, 200, "", ""}.hold(t, first)
			tt.want.hold(t, read)
			tt.want.hold(t, write)
			if n := len(s.Effects()); n != tt.took {
				t.Errorf("%d effects, want %d", n, tt.took)
			}
			if n := s.Requests(); n.Reads != first.Requests+read.Requests || n.Writes != 1 || write.Requests != 1 {
				t.Errorf("%d reads and %d writes arrived; counted were %d, %d and %d", n.Reads, n.Writes, first.Requests, read.Requests, write.Requests)
			}
		})
	}
}

// A first answer that is a web page shows that the address is not the API's.
func TestContractWrongAddress(t *testing.T) {
	fb := serving(t, stand(t, sandbox.Options{}, "any:html"))
	meaning{client.NoAccess, 200, "access", "a web page came instead of the API"}.hold(t, fb.Customer(t.Context(), nil, "7"))
}

func TestContractRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		}))
		want := meaning{client.NoAccess, status, "access", strings.TrimPrefix(other.URL, "http://") + ", which is not followed"}
		want.hold(t, fb.Customer(t.Context(), nil, "7"))
		want.hold(t, fb.Update(t.Context(), nil, []byte(`{"id":7}`)))
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests, and with them the key, went to another host", n)
	}
}

// A body without an end costs no more than its cap, however small it arrives.
func TestContractEndlessBodies(t *testing.T) {
	var bomb strings.Builder
	z := gzip.NewWriter(&bomb)
	io.WriteString(z, strings.Repeat(" ", 1<<20))
	z.Close()
	var poured atomic.Int64
	plain := func(w http.ResponseWriter, _ *http.Request) { poured.Add(pour(w, strings.Repeat(" ", 1<<16))) }
	inflating := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		pour(w, bomb.String()) // members of a gzip file may follow each other for ever
	}
	read := func(fb *client.Fusebill) client.Reply { return fb.Customer(t.Context(), nil, "7") }
	page := func(fb *client.Fusebill) client.Reply { return fb.Customers(t.Context(), nil, client.Query{Size: 1}) }
	tests := []struct {
		name    string
		endless http.HandlerFunc
		call    func(*client.Fusebill) client.Reply
		text    string
	}{
		{"customer", plain, read, "longer than 4 MiB"},
		{"gzip customer", inflating, read, "longer than 4 MiB"},
		{"gzip page", inflating, page, "longer than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			meaning{client.Lost, 200, "lost", tt.text}.hold(t, tt.call(serving(t, tt.endless)))
		})
	}
	if n := poured.Load(); n > 32<<20 { // what the sockets hold besides is a matter of the machine
		t.Errorf("%d bytes were taken of a customer who may have 4 MiB", n)
	}
}

// pour writes until nobody takes it any more.
func pour(w io.Writer, piece string) (written int64) {
	for {
		n, err := io.WriteString(w, piece)
		if written += int64(n); err != nil {
			return written
		}
	}
}

func TestContractHeaders(t *testing.T) {
	var mu sync.Mutex
	var seen []http.Header
	s := stand(t, sandbox.Options{})
	fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Header.Clone())
		mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		s.ServeHTTP(w, r)
	}))
	fb.Customer(t.Context(), nil, "7")
	fb.Update(t.Context(), nil, []byte(stored(t, s, "7")))
	fb.Find(t.Context(), nil, "reference", "AC-1")
	for _, h := range seen {
		if got := h.Values("Authorization"); len(got) != 1 || got[0] != "Basic MDpzM2NyZXQ=" {
			t.Errorf("the key arrived as %q", got)
		}
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "Cookie"} {
			if h.Get(name) != "" {
				t.Errorf("%s: %s", name, h.Get(name))
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d requests", len(seen))
	}
}

func TestContractReadOnly(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(stand(t, sandbox.Options{}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	fb, err := client.NewFusebill(client.Options{BaseURL: server.URL + "/v1", Key: issuedKey, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	rep := fb.Update(t.Context(), nil, []byte(`{"id":7,"status":"Active"}`))
	meaning{client.Refused, 0, "other", "a dry run sends no writes"}.hold(t, rep)
	if !errors.Is(rep.Err, client.ErrReadOnly) || rep.Requests != 0 || connections.Load() != 0 {
		t.Errorf("%v after %d requests over %d connections", rep.Err, rep.Requests, connections.Load())
	}
}
