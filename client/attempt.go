package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// do makes one attempt, under a permit of the lease or of the client's governor.
func (a *api) do(ctx context.Context, l *Lease, c call) (rep Reply) {
	if l == nil && a.governor != nil {
		var err error
		if l, err = a.governor.Lease(ctx, 1); err != nil {
			return Reply{Class: Unsent, Err: err}
		}
		defer l.Close()
	}
	if err := l.start(ctx); err != nil {
		return Reply{Class: Unsent, Err: err}
	}
	rep.Class = Lost // what a panic on the way would mean
	defer func() { l.settle(rep) }()
	rep = a.attempt(ctx, c)
	a.log.record(ctx, c, rep)
	return rep
}

// attempt sends one request and reads its reply. It goes to the transport
// itself: an http.Client follows redirects and keeps cookies.
func (a *api) attempt(parent context.Context, c call) Reply {
	rep := Reply{Sent: time.Now()}
	if err := parent.Err(); err != nil {
		rep.Class, rep.Err, rep.Received = Unsent, &UnsentError{err}, rep.Sent
		return rep
	}
	ctx, cancel := context.WithTimeout(parent, a.timeout)
	defer cancel()
	var seen connections
	x := exchange{call: c, vendor: a.vendor, secrets: a.secrets.and(c.hidden...)}
	res, err := a.transport.RoundTrip(a.request(seen.traced(ctx), c))
	if err == nil {
		rep.Status, rep.Header = res.StatusCode, res.Header
		x.status, x.contentType, x.location = res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Location")
		x.body, err = readBody(res, c.limit())
	}
	err = x.secrets.hide(err)
	if err != nil && ctx.Err() != nil && parent.Err() == nil {
		err = fmt.Errorf("no complete answer within %s: %w", a.timeout, context.DeadlineExceeded)
	}
	rep.Received = time.Now()
	x.err, x.unsent, x.trusted = err, seen.none(), a.trusted.Load()
	rep.Requests = seen.count(c.method, x.unsent || errors.Is(err, ErrReadOnly))
	if rep.Class, rep.Err = classify(x); rep.Class == Answered {
		a.trusted.Store(true)
		rep.Body = x.body
	}
	return rep
}

// request is built without GetBody and without an Idempotency-Key, so that
// net/http has no way to send a write again by itself. A POST without a body, too,
// it only repeats when not one byte of the first had left.
func (a *api) request(ctx context.Context, c call) *http.Request {
	r, err := http.NewRequestWithContext(ctx, c.method, a.base+c.path, nil)
	if err != nil {
		panic(err) // base and path were checked and escaped
	}
	a.prepare(r)
	if c.body != nil {
		r.Header.Set("Content-Type", c.contentType())
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
	body := bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf"))
	return body, err
}

// connections watches how far net/http gets. A transport that reports nothing
// proves nothing: its failures may have come after the request was out.
type connections struct{ sought, got atomic.Int32 }

func (c *connections) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.sought.Add(1) },
		GotConn: func(httptrace.GotConnInfo) { c.got.Add(1) },
	})
}

// none says that a connection was sought and not obtained. Nothing short of that
// shows that no byte left.
func (c *connections) none() bool { return c.sought.Load() > 0 && c.got.Load() == 0 }

// count is how many requests went out. Of a write there is never a second: a
// further connection means that over the one before it nothing had left.
func (c *connections) count(method string, unsent bool) int {
	switch {
	case unsent:
		return 0
	case method != http.MethodGet:
		return 1
	}
	return max(1, int(c.got.Load()))
}

// requestLog writes a line for each request, never a header's value nor a body.
type requestLog struct{ *slog.Logger }

func (l requestLog) record(ctx context.Context, c call, rep Reply) {
	if l.Logger == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.method), slog.String("path", c.path), slog.Int("status", rep.Status),
		slog.Int64("ms", rep.Received.Sub(rep.Sent).Milliseconds()),
		slog.Int("sent", len(c.body)), slog.Int("received", len(rep.Body)), slog.String("class", rep.Class.String()),
	}
	if rep.Err != nil {
		attrs = append(attrs, slog.String("error", rep.Err.Error()))
	}
	l.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}
