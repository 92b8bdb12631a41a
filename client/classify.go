package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// kind is what a call expects as its reply's root.
type kind int

const (
	object kind = iota
	record      // an object that may be edited and sent back
	list
	assent // the word true
	echo   // anything but a web page
)

// exchange is everything that the meaning of an attempt depends on.
type exchange struct {
	call
	vendor      vendor
	secrets     secrets // never to be repeated in a message
	status      int     // 0: no reply
	contentType string
	location    string
	body        []byte
	err         error // the network's, before or within the body
	unsent      bool  // no connection was obtained
	trusted     bool  // this address has given a proper API answer before
}

// classify says what an attempt means. Where the API's behaviour is not
// documented it takes the meaning that cannot lead to a second effect.
func classify(x exchange) (Class, error) {
	switch {
	case x.status == 0:
		return x.unanswered()
	case x.status == http.StatusTooManyRequests:
		return Throttled, &ThrottledError{x.words()}
	case x.status >= 300 && x.status <= 399:
		return NoAccess, x.redirected()
	case x.accessDenied():
		return NoAccess, x.denied()
	case x.err != nil:
		return Lost, &LostError{x.status, "the answer broke off: " + x.shown(x.err.Error()), x.err}
	case x.undecided():
		return Lost, &LostError{Status: x.status, Text: joined("the server answered "+statusText(x.status), x.words())}
	case x.webPage() && (x.status <= 299 || x.status == http.StatusNotFound && !x.aboutTheRow()):
		return x.strangePage()
	case x.want == echo && x.status != http.StatusOK:
		return NoAccess, x.noEcho()
	case x.status >= 400:
		return Refused, parseError(x.status, x.body, x.shown)
	}
	return x.success()
}

// unanswered is an attempt to which no reply came.
func (x exchange) unanswered() (Class, error) {
	var certificate *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.Is(x.err, ErrReadOnly):
		return Refused, x.err
	case errors.As(x.err, &certificate), errors.As(x.err, &plain):
		return NoAccess, &AccessError{0, "the server could not prove who it is: " + x.shown(x.err.Error()), "check the URL, this machine's clock, and whether a proxy stands between"}
	case x.unsent:
		return Unsent, &UnsentError{x.err}
	case errors.Is(x.err, context.DeadlineExceeded):
		return Lost, &LostError{0, x.shown(x.err.Error()), x.err}
	}
	return Lost, &LostError{0, "the connection broke before the answer came: " + x.shown(x.err.Error()), x.err}
}

// undecided statuses leave open whether the request was carried out.
func (x exchange) undecided() bool {
	return x.status < 200 || x.status >= 500 ||
		x.status == http.StatusRequestTimeout || x.status == http.StatusTooEarly
}

// A 403 is in neither vendor's table, and is taken for what HTTP says it means.
func (x exchange) accessDenied() bool {
	switch x.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return true
	}
	return x.status == http.StatusBadRequest && x.vendor.badKey != "" && bytes.Contains(x.body, []byte(x.vendor.badKey))
}

func (x exchange) denied() error {
	return &AccessError{x.status, joined(fmt.Sprintf("access was refused with %d", x.status), x.words()), x.vendor.tryDenied}
}

// noEcho is a no to a request that asks for nothing by which it could be wrong.
func (x exchange) noEcho() error {
	return &AccessError{x.status, joined("the server answered "+statusText(x.status)+" where the API would have answered 200", x.words()), x.vendor.tryPage}
}

func (x exchange) redirected() error {
	text := fmt.Sprintf("the server answered %d and sends callers elsewhere, which is not followed", x.status)
	if u, err := url.Parse(x.location); err == nil && u.Host != "" {
		text = fmt.Sprintf("the server answered %d and sends callers to %s, which is not followed", x.status, x.shown(u.Host))
	}
	return &AccessError{x.status, text, x.vendor.tryMoved}
}

// webPage tells an error page of something between from the API's own words.
func (x exchange) webPage() bool {
	if gjson.ValidBytes(x.body) {
		return false
	}
	labelled := strings.Contains(strings.ToLower(x.contentType), "html")
	return bytes.HasPrefix(bytes.TrimSpace(x.body), []byte("<")) ||
		labelled && (!x.vendor.bareHTML || bytes.Contains(x.body, []byte("<")))
}

// aboutTheRow says that a web page at 404 may be what the API makes of a bad row.
func (x exchange) aboutTheRow() bool { return x.vendor.vague404 && x.trusted }

// strangePage is a passing trouble where the API has answered before; else this is not its address.
func (x exchange) strangePage() (Class, error) {
	if x.trusted && x.want != echo {
		return Lost, &LostError{Status: x.status, Text: joined("a web page came instead of the API's answer", x.words())}
	}
	return NoAccess, &AccessError{x.status, joined("a web page came instead of the API", x.words()), x.vendor.tryPage}
}

// shown makes foreign text safe to print.
func (x exchange) shown(text string) string { return x.secrets.shown(text) }

// words is what the reply says, for a message.
func (x exchange) words() string { return parseError(x.status, x.body, x.shown).text() }

func joined(what, words string) string {
	if words == "" {
		return what
	}
	return what + ": " + words
}
