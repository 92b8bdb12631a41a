package client

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// ErrReadOnly is the error of a write in a dry run: the transport refused it.
var ErrReadOnly = errors.New("a dry run sends no writes: this request was refused before it left")

// NewTransport returns a transport that keeps the given number of connections
// alive, with TLS 1.2 or newer. HTTP/1.1 only: one connection's end then costs
// one answer, and nothing is repeated because a protocol finds that safe.
// Loopback addresses are never reached through a proxy.
func NewTransport(connections int) *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		// Under the minute after which common servers hang up: a write on a dead connection is in doubt.
		IdleConnTimeout:        50 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              &http1,
	}
}

// readOnly is the last line of a dry run's defence, below everything that could be mistaken.
type readOnly struct{ http.RoundTripper }

func (t readOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return t.RoundTripper.RoundTrip(r)
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, ErrReadOnly
}
