package client

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"rowbatch/client/governor"
)

const (
	recordCap = 4 << 20  // bytes of a reply
	listCap   = 64 << 20 // bytes of a page of customers
)

// Account is what the clients of both APIs have in common: the one place through
// which all requests to an account's server go.
type Account struct {
	base      string
	timeout   time.Duration
	transport http.RoundTripper
	governor  *governor.Governor
	patience  Patience
	contact   contact
	header    func() http.Header // of every request; a function because a value would be printed by %+v
	vendor    vendor
	secrets   secrets
	log       *slog.Logger

	requests atomic.Int64
	writes   atomic.Int64
	trusted  atomic.Bool // a proper API answer has come
	marked   atomic.Bool // a reply has come with the stand-in's header,
	unmarked atomic.Bool // or one without
}

// vendor is what one API's replies are known for, and the other's are not.
type vendor struct {
	badKey    string // a 400 with these words is about the key; "": there is none
	bareHTML  bool   // plain text may be labelled HTML
	vague404  bool   // a 404 may be about the row, whatever its body looks like
	tryDenied string // what to check when access is refused,
	tryMoved  string // when callers are sent elsewhere,
	tryPage   string // and when a web page comes
}

func newAccount(o Options, base *url.URL, v vendor, s secrets, credentials func(http.Header)) *Account {
	a := &Account{base: base.String(), timeout: cmp.Or(o.Timeout, defaultTimeout), transport: o.Transport, governor: o.Governor,
		patience: cmp.Or(o.Patience, PatienceFor(o.BaseURL)), vendor: v, secrets: s, log: o.Log}
	a.contact = contact{base: a.base, limit: o.Contact, stopped: o.Stop, told: o.Silent, turn: make(chan struct{}, 1)}
	if a.transport == nil {
		a.transport = NewTransport(defaultConnections)
	}
	if o.ReadOnly {
		a.transport = readOnly{a.transport}
	}
	h := http.Header{"Accept": {"application/json"}}
	credentials(h)
	if o.UserAgent != "" {
		h.Set("User-Agent", o.UserAgent)
	}
	a.header = func() http.Header { return maps.Clone(h) } // whose values nobody changes
	return a
}

// Requests is how many requests have gone out. It is the sum of the replies' Requests.
func (a *Account) Requests() int { return int(a.requests.Load()) }

// Writes is how many of them were no reads.
func (a *Account) Writes() int { return int(a.writes.Load()) }

// IsSandbox reports whether the server says that it is our stand-in, and no account of
// anybody's: by a header that only the stand-in sends, in each reply so far. Where
// nothing was asked yet it is false; a page of one customer, or a Ping, will tell.
func (a *Account) IsSandbox() bool { return a.marked.Load() && !a.unmarked.Load() }

// Replied reports whether any server has answered at the account's address yet, with whatever.
func (a *Account) Replied() bool { return a.marked.Load() || a.unmarked.Load() }

// Patiently repeats a call that is no row's (a page of the list, a search) until it is
// answered, refused, or was made often enough. It returns the last reply, at once
// when ctx ends.
func (a *Account) Patiently(ctx context.Context, call func() Reply) Reply {
	return a.patience.repeat(ctx, 0, call)
}

// sandboxHeader stands in each reply of client/sandbox.
const sandboxHeader = "Rowbatch-Sandbox"

// call is one request before it is made, and what its reply is to be.
type call struct {
	method     string
	path       string // after the base URL, escaped, with its query
	form       bool   // the body is a form, not JSON
	body       []byte
	want       kind
	id         string   // of the customer asked for; "": none
	idOptional bool     // the reply may lack an id
	hidden     []string // what it sends that no message may repeat
}

// do makes one attempt, under a permit of the lease or of the account's governor; at an
// address that has never answered, several where that harms nobody.
func (a *Account) do(ctx context.Context, l *governor.Lease, c call) (rep Reply) {
	if l == nil && a.governor != nil {
		var err error
		if l, err = a.governor.Lease(ctx, 1); err != nil {
			return Reply{Class: Unsent, Err: err}
		}
		defer l.Close()
	}
	if err := l.Start(ctx); err != nil {
		return Reply{Class: Unsent, Err: err}
	}
	rep.Class = Lost // what a panic on the way would mean
	defer func() { l.End(rep.observation()) }()
	if rep = a.attempt(ctx, c); rep.Status == 0 && a.contact.limit > 0 && !a.Replied() {
		rep = a.contact.first(ctx, rep, c.method == http.MethodGet, a.Replied, func() Reply { return a.attempt(ctx, c) })
	}
	a.requests.Add(int64(rep.Requests))
	if c.method != http.MethodGet {
		a.writes.Add(int64(rep.Requests))
	}
	if rep.Status != 0 {
		mark := &a.unmarked
		if rep.Header.Get(sandboxHeader) == "1" {
			mark = &a.marked
		}
		mark.Store(true)
	}
	if a.log != nil { // never a header's value, nor a body
		attrs := []slog.Attr{
			slog.String("method", c.method), slog.String("path", c.path), slog.Int("status", rep.Status),
			slog.Int64("ms", rep.Received.Sub(rep.Sent).Milliseconds()),
			slog.Int("sent", len(c.body)), slog.Int("received", len(rep.Body)), slog.String("class", rep.Class.String()),
		}
		if rep.Err != nil {
			attrs = append(attrs, slog.String("error", rep.Err.Error()))
		}
		a.log.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
	}
	return rep
}

// attempt sends one request and reads its reply. It goes to the transport
// itself: an http.Client follows redirects and keeps cookies.
func (a *Account) attempt(parent context.Context, c call) Reply {
	rep := Reply{Sent: time.Now()}
	if err := parent.Err(); err != nil {
		rep.Class, rep.Err, rep.Received = Unsent, &UnsentError{err}, rep.Sent
		return rep
	}
	ctx, cancel := context.WithTimeout(parent, a.timeout)
	defer cancel()
	// How far net/http gets is watched. A transport that reports nothing proves
	// nothing: its failures may have come after the request was out.
	var sought, got atomic.Int32
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sought.Add(1) },
		GotConn: func(httptrace.GotConnInfo) { got.Add(1) },
	})
	x := exchange{call: c, vendor: a.vendor, secrets: a.secrets.and(c.hidden...)}
	if a.contact.limit > 0 && !a.Replied() {
		defer a.contact.cut(cancel, func() bool { return sought.Load() > 0 && got.Load() == 0 })()
	}
	res, err := a.transport.RoundTrip(a.request(ctx, c))
	if err == nil {
		rep.Status, rep.Header = res.StatusCode, res.Header
		x.status, x.contentType, x.location = res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Location")
		limit := int64(recordCap)
		if c.want == list {
			limit = listCap
		}
		x.body, err = readBody(res, limit)
	}
	err = x.secrets.hide(err)
	switch {
	case err == nil || ctx.Err() == nil || parent.Err() != nil:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("no complete answer within %s: %w", a.timeout, context.DeadlineExceeded)
	default:
		err = fmt.Errorf("no connection was made in time: %w", context.DeadlineExceeded)
	}
	rep.Received = time.Now()
	x.err, x.trusted = err, a.trusted.Load()
	x.unsent = sought.Load() > 0 && got.Load() == 0 // nothing short of that shows that no byte left
	switch {
	case x.unsent, errors.Is(err, ErrReadOnly):
	case c.method != http.MethodGet: // never a second: over a connection before this one nothing had left
		rep.Requests = 1
	default:
		rep.Requests = max(1, int(got.Load()))
	}
	x.base, x.stray = a.base, func() bool { return a.contact.isStray(strings.SplitN(c.path, "?", 2)[0], c.want) }
	if rep.Class, rep.Err = classify(x); rep.Class == Answered {
		rep.Body = x.body
	}
	said, refused := errors.AsType[*APIError](rep.Err)
	if rep.Class == Answered || refused && len(said.Details) > 0 { // the API's own words
		a.trusted.Store(true)
	}
	return rep
}

// request is built without GetBody and without an Idempotency-Key, so that
// net/http has no way to send a write again by itself. A POST without a body, too,
// it only repeats when not one byte of the first had left.
func (a *Account) request(ctx context.Context, c call) *http.Request {
	r, err := http.NewRequestWithContext(ctx, c.method, a.base+c.path, nil)
	if err != nil {
		panic(err) // base and path were checked and escaped
	}
	r.Header = a.header()
	if c.body != nil {
		contentType := "application/json"
		if c.form {
			contentType = "application/x-www-form-urlencoded"
		}
		r.Header.Set("Content-Type", contentType)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
	}
	return r
}

// readBody reads up to a cap of decoded bytes. A transport that inflates a
// small reply without end is cut off there.
func readBody(res *http.Response, most int64) ([]byte, error) {
	defer res.Body.Close()
	var b bytes.Buffer
	if n := res.ContentLength; n > 0 && n <= most {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(res.Body, most+1))
	if err == nil && int64(b.Len()) > most {
		err = fmt.Errorf("it is longer than %d MiB", most>>20)
	}
	return bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf")), err
}
