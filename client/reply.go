package client

import (
	"net/http"
	"time"
)

// Class says what a reply means for who asked.
type Class int

const (
	Answered  Class = iota // a readable success
	Refused                // the server understood and said no: no effect
	Throttled              // 429: no effect, again later
	Unsent                 // nothing left this machine: no effect, again later
	Lost                   // no usable answer: a write may have taken effect
	NoAccess               // credentials, certificate or address: no other request will fare better
)

func (c Class) String() string {
	names := [...]string{"answered", "refused", "throttled", "unsent", "lost", "no access"}
	return names[c]
}

// Reply is the answer to exactly one attempt.
type Reply struct {
	Class    Class
	Status   int // HTTP status; 0: none came
	Header   http.Header
	Body     []byte // of an Answered reply: valid JSON of the kind asked for (anything for a Ping), not over the cap
	Err      error  // nil when Answered; its text is for people
	Requests int    // that reached a connection: 2 when the transport repeated a GET on a stale one
	Sent     time.Time
	Received time.Time // when the body had been read
}
