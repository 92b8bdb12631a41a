package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A server that misbehaves on the wire.
func TestMisbehaviour(t *testing.T) {
	hijack := func(w http.ResponseWriter) net.Conn {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
		}
		return conn
	}
	const long, short = 10 * time.Second, 100 * time.Millisecond
	tests := []struct {
		name    string
		handler http.HandlerFunc
		timeout time.Duration
		want    Class
		text    string
	}{
		{"hangs up at once", func(w http.ResponseWriter, _ *http.Request) { hijack(w).Close() }, long, Lost, "broke before"},
		{"hangs up within the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":12`)
		}, long, Lost, "broke off"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, long, Lost, "longer than 4 MiB"},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 5<<20))
			z.Close()
		}, long, Lost, "longer than 4 MiB"},
		{"proper gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, customerJSON)
			z.Close()
		}, long, Answered, ""},
		{"silent", func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, short, Lost, "within 100ms"},
		{"trickles", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, short, Lost, "within 100ms"},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, long, Lost, "header"},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example.com/", http.StatusTemporaryRedirect)
		}, long, NoAccess, "elsewhere.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			fb := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); tt.handler(w, r) },
				func(o *Options) { o.Timeout = tt.timeout })
			rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`))
			if rep.Class != tt.want || rep.Err != nil && !strings.Contains(rep.Err.Error(), tt.text) {
				t.Errorf("%s, %v; want %s, %q", rep.Class, rep.Err, tt.want, tt.text)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A server that hangs up on an idle connection may not make net/http send a write
// again, whether it has a body or none.
func TestAWriteIsSentOnce(t *testing.T) {
	var writes atomic.Int32
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, customerJSON)
			return
		}
		writes.Add(1)
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	})
	for name, write := range map[string]func() Reply{
		"PUT":                 func() Reply { return fb.Update(t.Context(), nil, []byte(`{"id":12}`)) },
		"POST":                func() Reply { return fb.Unhold(t.Context(), nil, "12", ServiceStartOptions()[0]) },
		"POST without a body": func() Reply { return fb.Hold(t.Context(), nil, "12") },
	} {
		writes.Store(0)
		for range 5 { // the write goes over a connection that was used before
			fb.Customer(t.Context(), nil, "12")
			if rep := write(); rep.Class != Lost || rep.Requests != 1 {
				t.Errorf("%s: %s, %d requests: %v", name, rep.Class, rep.Requests, rep.Err)
			}
		}
		if n := writes.Load(); n != 5 {
			t.Errorf("5 calls made %d writes by %s", n, name)
		}
	}
}

// blockedConn is a connection that takes nothing any more once it has been used.
type blockedConn struct {
	net.Conn
	used *atomic.Bool
}

func (c blockedConn) Write(p []byte) (int, error) {
	if c.used.Swap(true) {
		return 0, errors.New("broken pipe")
	}
	return c.Conn.Write(p)
}

// A POST without a body of which nothing left may go over another connection. It
// still is one request.
func TestAPostOverADeadConnection(t *testing.T) {
	var posts, connections atomic.Int32
	transport := NewTransport(1)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		conn, err := dial(ctx, network, address)
		return blockedConn{conn, new(atomic.Bool)}, err
	}
	t.Cleanup(transport.CloseIdleConnections)
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		io.WriteString(w, customerJSON)
	}, func(o *Options) { o.Transport = transport })
	fb.Customer(t.Context(), nil, "12")
	rep := fb.Hold(t.Context(), nil, "12")
	if rep.Class != Answered || rep.Requests != 1 || posts.Load() != 1 || connections.Load() != 2 {
		t.Errorf("%s, %d requests counted, %d made over %d connections: %v", rep.Class, rep.Requests, posts.Load(), connections.Load(), rep.Err)
	}
}

func TestNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	fb := serve(t, nil, func(o *Options) { o.BaseURL = "http://" + address })
	rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`))
	if rep.Class != Unsent || rep.Requests != 0 || !strings.Contains(rep.Err.Error(), "no connection") {
		t.Errorf("%s, %d requests: %v", rep.Class, rep.Requests, rep.Err)
	}
}

// A transport that tells nothing of its connections may have sent before it failed.
func TestUnknownTransportIsNotTrusted(t *testing.T) {
	fb := serve(t, nil, func(o *Options) {
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil || r.ContentLength != 9 {
				t.Errorf("a body of %d bytes that net/http could send again: %v", r.ContentLength, r.GetBody != nil)
			}
			return nil, errors.New("failed somewhere")
		})
	})
	if rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`)); rep.Class != Lost {
		t.Errorf("%s: %v", rep.Class, rep.Err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(reply(customerJSON))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	fb := serve(t, nil, func(o *Options) { o.BaseURL = server.URL })
	if rep := fb.Customer(t.Context(), nil, "12"); rep.Class != NoAccess || !strings.Contains(rep.Err.Error(), "certificate") {
		t.Errorf("%s: %v", rep.Class, rep.Err)
	}
}
