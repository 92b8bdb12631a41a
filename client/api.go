package client

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	recordCap = 4 << 20  // bytes of a reply
	listCap   = 64 << 20 // bytes of a page of customers
)

// api is the HTTP side of a client, whichever API it speaks.
type api struct {
	base      string
	timeout   time.Duration
	transport http.RoundTripper
	governor  *Governor
	prepare   func(*http.Request)
	vendor    vendor
	secrets   secrets
	log       requestLog
	trusted   atomic.Bool // a proper API answer has come
}

// link is what an api is made of, once its settings were checked.
type link struct {
	base      *url.URL
	timeout   time.Duration
	transport http.RoundTripper
	governor  *Governor
	readOnly  bool
	userAgent string
	log       *slog.Logger

	credentials func(http.Header)
	secrets     secrets
	vendor      vendor
}

func newAPI(l link) *api {
	a := &api{base: l.base.String(), timeout: cmp.Or(l.timeout, defaultTimeout), transport: l.transport,
		governor: l.governor, vendor: l.vendor, secrets: l.secrets, log: requestLog{l.log}}
	if a.transport == nil {
		a.transport = NewTransport(defaultConnections)
	}
	if l.readOnly {
		a.transport = readOnly{a.transport}
	}
	a.prepare = func(r *http.Request) {
		l.credentials(r.Header)
		r.Header.Set("Accept", "application/json")
		if l.userAgent != "" {
			r.Header.Set("User-Agent", l.userAgent)
		}
	}
	return a
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

func (c call) limit() int64 {
	if c.want == list {
		return listCap
	}
	return recordCap
}

func (c call) contentType() string {
	if c.form {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}
