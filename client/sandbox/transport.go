package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
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
	w := httptest.NewRecorder()
	defer func() {
		switch cut := recover(); {
		case cut == nil:
			resp = w.Result()
		case cut != http.ErrAbortHandler: //nolint:errorlint // net/http too compares the value of the panic
			panic(cut)
		case w.Flushed:
			broken, end := io.Pipe()
			_ = end.CloseWithError(io.ErrUnexpectedEOF)
			resp = w.Result()
			resp.Body = io.NopCloser(io.MultiReader(resp.Body, broken))
		}
	}()
	t.s.ServeHTTP(w, r)
	return nil
}
