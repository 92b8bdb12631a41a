package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
)

func TestTransportIsTracedAsANetworkIs(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "get:lost-before")})
	var seen []string
	note := func(what string) { seen = append(seen, what) }
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { note("connection") },
		WroteHeaders: func() { note("headers") },
		WroteRequest: func(httptrace.WroteRequestInfo) { note("request") },
	})
	_, err := (&http.Client{Transport: s.Transport()}).Do(request(t, "GET", "/v1/customers/7", "").WithContext(ctx))
	if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Join(seen, " ") != "connection headers request" {
		t.Errorf("%v, %v", err, seen)
	}
}

func TestACallerWhoHasLeftSendsNothing(t *testing.T) {
	s := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Transport().RoundTrip(request(t, "GET", "/v1/customers/7", "").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := s.Requests(); n.Reads != 0 {
		t.Errorf("counts %+v", n)
	}
}

// Over a socket the faults must look as they do without one.
func TestOverASocket(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "put:truncated:at=1", "put:lost-after:at=2", "get:redirect")})
	server := httptest.NewServer(s)
	defer server.Close()
	do := func(method, path string) got {
		r := request(t, method, path, odd)
		r.URL.Host = server.Listener.Addr().String()
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return got{err: err}
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return got{resp.StatusCode, resp.Header, string(body), err}
	}
	if g := do("PUT", "/v1/customers"); g.status != 200 || !errors.Is(g.err, io.ErrUnexpectedEOF) || !strings.HasPrefix(g.body, `{"firstName":"Ada"`) {
		t.Errorf("truncated: %d %q %v", g.status, g.body, g.err)
	}
	if g := do("PUT", "/v1/customers"); g.err == nil {
		t.Errorf("lost: %d", g.status)
	}
	if g := do("PUT", "/v1/customers"); g.err != nil || still(t, g.body) != still(t, odd) {
		t.Errorf("whole: %v %s", g.err, g.body)
	}
	if g := do("GET", "/v1/customers/7"); g.status != 302 {
		t.Errorf("redirect: %d", g.status)
	}
	if n := len(s.Effects()); n != 3 {
		t.Errorf("%d effects", n)
	}
}

func TestEveryReplyNamesTheSandbox(t *testing.T) {
	faults := []string{"", "any:truncated", "any:empty", "any:null", "any:html", "any:html-after", "any:redirect", "any:404", "any:503-after", "any:slow=1ns"}
	for _, fault := range faults {
		o := Options{Minute: 4}
		if fault != "" {
			o.Faults = faultsOf(t, fault)
		}
		s := open(t, o)
		server := httptest.NewServer(s)
		defer server.Close()
		anonymous := request(t, "GET", "/v1/customers/7", "")
		anonymous.Header.Del("Authorization")
		requests := []*http.Request{
			anonymous, // 401, of Trackfinity a page to sign in on
			request(t, "GET", "/api/service/ping", ""),
			request(t, "GET", "/v1/customers/7", ""),
			request(t, "GET", "/v1/customers/404", ""),
			request(t, "PUT", "/v1/customers", odd),
			request(t, "GET", "/v1/nowhere", ""),
			request(t, "GET", "/v1/customers/7", ""), // 429 at the latest
			admin(t, "GET", "/api/service/ping", ""),
			admin(t, "PATCH", detailsPath, "customer_id=4102&city=X"),
			admin(t, "PUT", detailsPath, ""),
			admin(t, "GET", "/api/nowhere", ""),
		}
		transports := map[string]http.RoundTripper{"in process": s.Transport(), "over a socket": http.DefaultTransport}
		for name, transport := range transports {
			for _, r := range requests {
				r = r.Clone(t.Context())
				if r.GetBody != nil {
					r.Body, _ = r.GetBody()
				}
				if name == "over a socket" {
					r.URL.Host = server.Listener.Addr().String()
				}
				resp, err := transport.RoundTrip(r)
				if err != nil {
					t.Errorf("%s, fault %q: %s %s: %v", name, fault, r.Method, r.URL.Path, err)
					continue
				}
				_ = resp.Body.Close()
				if got := resp.Header.Values(Header); len(got) != 1 || got[0] != "1" {
					t.Errorf("%s, fault %q: %s %s: %d with %q", name, fault, r.Method, r.URL.Path, resp.StatusCode, got)
				}
			}
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := open(b, Options{Seed: sampleSeed(b), Minute: 1 << 40, Day: 1 << 40})
	for b.Loop() {
		get(b, s, "/v1/customers/987011")
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir(), Seed: sampleSeed(b), Minute: 1 << 40, Day: 1 << 40})
	body := stored(b, s, "987011")
	for b.Loop() {
		put(b, s, body)
	}
}
