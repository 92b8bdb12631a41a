package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		{"tracking code", func(f *Fusebill) Reply { return f.TrackingCode(t.Context(), nil, "Sales Tracking Code 1", "E&B") }, "GET /v1/SalesTrackingCodes?code=E%26B&type=Sales+Tracking+Code+1 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			var head http.Header
			fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got, head = fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body), r.Header
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
			if got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
			if head.Get("Authorization") != "Basic "+testKey.Reveal() || head.Get("User-Agent") != "rowbatch/test" || head.Get("Idempotency-Key") != "" {
				t.Errorf("header %v", head)
			}
			if write := strings.HasPrefix(tt.want, "PUT"); write != (head.Get("Content-Type") == "application/json") {
				t.Errorf("content type %q", head.Get("Content-Type"))
			}
		})
	}
}

func TestCallsThatMakeNoRequest(t *testing.T) {
	fb := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for _, id := range []string{"", "0", "007", "12/overview", "1e3", "-1", "١"} {
		if rep := fb.Customer(t.Context(), nil, id); rep.Class != Refused || rep.Requests != 0 {
			t.Errorf("id %q: %+v", id, rep)
		}
	}
	for _, body := range []string{"", "{}", `{"id":0}`, `[{"id":1}]`, `{"id":1`} {
		if rep := fb.Update(t.Context(), nil, []byte(body)); rep.Class != Refused {
			t.Errorf("body %q: %+v", body, rep)
		}
	}
	if _, rep := fb.FindByReference(t.Context(), nil, "a|b"); rep.Class != Refused {
		t.Errorf("%+v", rep)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if rep := fb.Customer(ended, nil, "1"); rep.Class != Unsent || !errors.Is(rep.Err, context.Canceled) {
		t.Errorf("%+v", rep)
	}
}

func TestFindByReference(t *testing.T) {
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.FormValue("query"); got != "reference:A C&1" {
			t.Errorf("query %q", got)
		}
		io.WriteString(w, `[{"id":5,"reference":"a c&1"},{"id":6,"reference":"A C&1"}]`)
	})
	m, rep := fb.FindByReference(t.Context(), nil, "A C&1")
	if rep.Class != Answered || len(m.IDs) != 1 || m.IDs[0] != "6" || string(m.Rows[0]) != `{"id":6,"reference":"A C&1"}` {
		t.Errorf("%v, %+v", m, rep)
	}
	broken := serve(t, reply(`[{"reference":"x"}]`))
	if _, rep := broken.FindByReference(t.Context(), nil, "x"); rep.Class != Lost || rep.Body != nil {
		t.Errorf("%+v", rep)
	}
}

// A server that misbehaves on the wire.
func TestMisbehaviour(t *testing.T) {
	hijack := func(w http.ResponseWriter) net.Conn {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
		}
		return conn
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    Class
		text    string
	}{
		{"hangs up at once", func(w http.ResponseWriter, _ *http.Request) { hijack(w).Close() }, Lost, "broke before"},
		{"hangs up within the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":12`)
		}, Lost, "broke off"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, Lost, "longer than 4 MiB"},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 5<<20))
			z.Close()
		}, Lost, "longer than 4 MiB"},
		{"proper gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, customerJSON)
			z.Close()
		}, Answered, ""},
		{"silent", func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, Lost, "within 200ms"},
		{"trickles", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, Lost, "within 200ms"},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, Lost, "header"},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example.com/", http.StatusTemporaryRedirect)
		}, NoAccess, "elsewhere.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			fb := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; tt.handler(w, r) },
				func(o *Options) { o.Timeout = 200 * time.Millisecond })
			rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`))
			if rep.Class != tt.want || rep.Err != nil && !strings.Contains(rep.Err.Error(), tt.text) {
				t.Errorf("%s, %v; want %s, %q", rep.Class, rep.Err, tt.want, tt.text)
			}
			if requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

// A server that hangs up on an idle connection may not make net/http send a write again.
func TestAWriteIsSentOnce(t *testing.T) {
	writes := 0
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, customerJSON)
			return
		}
		writes++
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	})
	for range 5 { // the write goes over a connection that was used before
		fb.Customer(t.Context(), nil, "12")
		if rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`)); rep.Class != Lost {
			t.Errorf("%s: %v", rep.Class, rep.Err)
		}
	}
	if writes != 5 {
		t.Errorf("5 calls made %d writes", writes)
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
		o.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("failed somewhere") })
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
	if rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`)); rep.Class != Refused || !errors.Is(rep.Err, ErrReadOnly) {
		t.Errorf("write: %+v", rep)
	}
}

// A web page is a passing trouble once the API has answered at this address.
func TestTrustIsRemembered(t *testing.T) {
	page := false
	fb := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if page {
			io.WriteString(w, "<html>maintenance</html>")
			return
		}
		io.WriteString(w, customerJSON)
	})
	fb.Customer(t.Context(), nil, "12")
	page = true
	if rep := fb.Customer(t.Context(), nil, "12"); rep.Class != Lost {
		t.Errorf("%s: %v", rep.Class, rep.Err)
	}
}

func TestAPanicGivesThePermitBack(t *testing.T) {
	g := NewGovernor(Limits{})
	fb := serve(t, nil, func(o *Options) {
		o.Governor = g
		o.Transport = roundTrip(func(*http.Request) (*http.Response, error) { panic("transport") })
	})
	func() {
		defer func() { recover() }()
		fb.Customer(t.Context(), nil, "12")
	}()
	if g.account.out != 0 || g.account.probe != nil {
		t.Errorf("%d permits are out", g.account.out)
	}
}

func TestSettings(t *testing.T) {
	tests := []struct {
		url     string
		key     Secret
		setting string // at fault
	}{
		{"https://secure.fusebill.com/v1", testKey, ""},
		{"https://secure.fusebill.com/v1/", testKey, ""},
		{"http://127.0.0.1:8080", testKey, ""},
		{"http://[::1]:8080/v1", testKey, ""},
		{"http://LOCALHOST/v1", testKey, ""},
		{"http://secure.fusebill.com/v1", testKey, "the Fusebill URL"},
		{"http://127.0.0.1.example.com", testKey, "the Fusebill URL"},
		{"https://user:hunter2@example.com", testKey, "the Fusebill URL"},
		{"https://example.com/v1?x=hunter2", testKey, "the Fusebill URL"},
		{"https://example.com/v1#x", testKey, "the Fusebill URL"},
		{"ftp://example.com", testKey, "the Fusebill URL"},
		{"secure.fusebill.com/v1", testKey, "the Fusebill URL"},
		{"https:///v1", testKey, "the Fusebill URL"},
		{"https://:443/v1", testKey, "the Fusebill URL"},
		{"", testKey, "the Fusebill URL"},
		{"https://a b/hunter2", testKey, "the Fusebill URL"},
		{"https://example.com", "", "the Fusebill key"},
		{"https://example.com", "hunter2\n", "the Fusebill key"},
		{"https://example.com", "hun ter2", "the Fusebill key"},
		{"https://example.com", "Basic hunter2", "the Fusebill key"},
		{"https://example.com", "hunter2\u200b", "the Fusebill key"},
	}
	for _, tt := range tests {
		_, err := NewFusebill(Options{BaseURL: tt.url, Key: tt.key})
		var setting *SettingError
		errors.As(err, &setting)
		switch {
		case tt.setting == "" && err != nil, tt.setting != "" && (setting == nil || setting.Setting != tt.setting):
			t.Errorf("%q: %v, want a fault of %q", tt.url, err, tt.setting)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "hun ter2")):
			t.Errorf("%v shows the secret", err)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "who sends "+r.Header.Get("Authorization"))
	}, func(o *Options) { o.Log = logger })
	rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`))
	type box struct{ Key Secret }
	asJSON, err := json.Marshal(map[string]any{"key": testKey, "box": box{testKey}})
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("key", "key", testKey, "box", box{testKey})
	shown := log.String() + string(asJSON) + rep.Err.Error() + fmt.Sprintf("%v %+v %#v %#v", fb, fb, fb, rep.Err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		shown += fmt.Sprintf(verb, testKey) + fmt.Sprintf(verb, box{testKey}) + fmt.Sprintf(verb, &Options{Key: testKey})
	}
	for _, form := range []string{testKey.Reveal(), fmt.Sprintf("%x", testKey.Reveal()), fmt.Sprintf("%X", testKey.Reveal()), "not-a-real-key"} {
		if i := strings.Index(shown, form); i >= 0 {
			t.Errorf("the key shows: …%s", shown[max(0, i-60):i+len(form)])
		}
	}
	for _, want := range []string{"method=PUT", "path=/customers", "status=400", "sent=9", "class=refused"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log line lacks %s: %s", want, log.String())
		}
	}
}

func TestPatiently(t *testing.T) {
	lost := Reply{Class: Lost, Err: &LostError{Text: "no answer"}}
	day := Reply{Class: Unsent, Err: &DayLimitError{}}
	tests := []struct {
		name    string
		url     string
		replies []Reply // the last is repeated
		calls   int
		want    Class
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"at once", "https://example.com", []Reply{{}}, 1, Answered, 0, 0},
		{"refused", "https://example.com", []Reply{{Class: Refused}}, 1, Refused, 0, 0},
		{"no access", "https://example.com", []Reply{{Class: NoAccess}}, 1, NoAccess, 0, 0},
		{"day's limit", "https://example.com", []Reply{day}, 1, Unsent, 0, 0},
		{"third", "https://example.com", []Reply{lost, {Class: Throttled}, {}}, 3, Answered, 15 * time.Second, 15 * time.Second},
		{"never", "https://example.com", []Reply{lost}, 8, Lost, 10 * time.Minute, 11 * time.Minute},
		{"never, on loopback", "http://127.0.0.1:1", []Reply{lost}, 8, Lost, 3 * time.Second, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, calls := time.Now(), 0
				rep := Patiently(t.Context(), nil, Tries, Pauses(tt.url), func() Reply {
					calls++
					return tt.replies[min(calls, len(tt.replies))-1]
				})
				if took := time.Since(begun); rep.Class != tt.want || calls != tt.calls || took < tt.atLeast || took > tt.atMost {
					t.Errorf("%s after %d calls and %s", rep.Class, calls, took)
				}
			})
		})
	}
	t.Run("stopped", func(t *testing.T) {
		stop := make(chan struct{})
		rep := Patiently(t.Context(), stop, Tries, Pauses("https://example.com"), func() Reply { close(stop); return lost })
		if rep.Class != Lost {
			t.Errorf("%+v", rep)
		}
	})
}
