package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
)

// transport is Sandbox.Transport.
type transport struct{ s *Sandbox }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
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
	arriving := r.Clone(r.Context()) // as a server would see it
	arriving.Body = io.NopCloser(bytes.NewReader(body))
	arriving.RequestURI = r.URL.RequestURI()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil { // the request has left, as net/http would tell
		if trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		if trace.WroteHeaders != nil {
			trace.WroteHeaders()
		}
		if trace.WroteRequest != nil {
			trace.WroteRequest(httptrace.WroteRequestInfo{})
		}
	}
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
			broken, end := io.Pipe()
			_ = end.CloseWithError(io.ErrUnexpectedEOF)
			resp = w.response(io.MultiReader(&w.body, broken))
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
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: -1,
	}
}
