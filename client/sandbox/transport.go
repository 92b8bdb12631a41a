package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
)

// Transport calls the sandbox in this process, without a socket. It may be used
// inside a testing/synctest bubble. A connection that a fault cuts shows as
// io.ErrUnexpectedEOF, from RoundTrip or from reading the body, as it falls.
// As on a network, a caller whose context ends does not undo what the sandbox does.
func (s *Sandbox) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Sandbox }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	arriving, err := arrive(r)
	if err != nil {
		return nil, err
	}
	trace(r.Context())
	done := make(chan *http.Response, 1)
	go func() { done <- t.serve(arriving) }()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case resp := <-done:
		if resp == nil {
			return nil, io.ErrUnexpectedEOF
		}
		resp.Request = r
		return resp, nil
	}
}

// arrive turns an outgoing request into the one that a server would see.
func arrive(r *http.Request) (*http.Request, error) {
	var body []byte
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.RequestURI = r.URL.RequestURI()
	return in, nil
}

// trace tells callers who watch the connection that the request has left, as net/http would.
func trace(ctx context.Context) {
	t := httptrace.ContextClientTrace(ctx)
	if t == nil {
		return
	}
	if t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	if t.WroteHeaders != nil {
		t.WroteHeaders()
	}
	if t.WroteRequest != nil {
		t.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

// serve returns nil when the connection was cut before the first byte of the reply.
func (t transport) serve(r *http.Request) (resp *http.Response) {
	w := &wire{header: http.Header{}}
	defer func() {
		switch cut := recover(); {
		case cut == nil:
			resp = w.response(&w.body)
		case cut != http.ErrAbortHandler: //nolint:errorlint // net/http too compares the value of the panic
			panic(cut)
		case w.status != 0:
			resp = w.response(io.MultiReader(&w.body, broken{}))
		}
	}()
	t.s.ServeHTTP(w, r)
	return nil
}

// wire is what has been sent of a reply.
type wire struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *wire) Header() http.Header         { return w.header }
func (w *wire) WriteHeader(status int)      { w.status = status }
func (w *wire) Write(p []byte) (int, error) { return w.body.Write(p) }

func (w *wire) response(body io.Reader) *http.Response {
	length, _ := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64) // send always sets it
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.header,
		Body:          io.NopCloser(body),
		ContentLength: length,
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
