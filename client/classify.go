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
)

// exchange is everything that the meaning of an attempt depends on.
type exchange struct {
	method      string
	want        kind
	id          string // of the customer asked for; "": none
	idOptional  bool   // the reply may lack an id
	status      int    // 0: no reply
	contentType string
	location    string
	body        []byte
	err         error  // the network's, before or within the body
	unsent      bool   // no connection was obtained
	trusted     bool   // this address has given a proper API answer before
	key         string // never to be repeated in a message
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
		return Lost, &LostError{x.status, "the answer broke off: " + visible(x.err.Error()), x.err}
	case x.undecided():
		return Lost, &LostError{Status: x.status, Text: joined("the server answered "+statusText(x.status), x.words())}
	case x.webPage() && (x.status <= 299 || x.status == http.StatusNotFound):
		return x.strangePage()
	case x.status >= 400:
		return Refused, parseError(x.status, x.clean())
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
		return NoAccess, &AccessError{0, "the server could not prove who it is: " + visible(x.err.Error()), "check the URL, this machine's clock, and whether a proxy stands between"}
	case x.unsent:
		return Unsent, &UnsentError{x.err}
	case errors.Is(x.err, context.DeadlineExceeded):
		return Lost, &LostError{0, visible(x.err.Error()), x.err}
	}
	return Lost, &LostError{0, "the connection broke before the answer came: " + visible(x.err.Error()), x.err}
}

// undecided statuses leave open whether the request was carried out.
func (x exchange) undecided() bool {
	return x.status < 200 || x.status >= 500 ||
		x.status == http.StatusRequestTimeout || x.status == http.StatusTooEarly
}

// A badly formed key is answered with 400 (developer.staxbill.com/reference/errors);
// 403 is not in the vendor's table, and is taken for what HTTP says it means.
func (x exchange) accessDenied() bool {
	switch x.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return true
	}
	return x.status == http.StatusBadRequest && bytes.Contains(x.body, []byte("Authorization key is not in the correct format"))
}

func (x exchange) denied() error {
	return &AccessError{x.status, joined(fmt.Sprintf("access was refused with %d", x.status), x.words()),
		"check that the key is this account's, complete, and not replaced since"}
}

func (x exchange) redirected() error {
	text := fmt.Sprintf("the server answered %d and sends callers elsewhere, which is not followed", x.status)
	if u, err := url.Parse(x.location); err == nil && u.Host != "" {
		text = fmt.Sprintf("the server answered %d and sends callers to %s, which is not followed", x.status, visible(u.Host))
	}
	return &AccessError{x.status, text, "check the URL"}
}

// webPage tells an error page of something between from the API's own words.
func (x exchange) webPage() bool {
	return !gjson.ValidBytes(x.body) &&
		(strings.Contains(strings.ToLower(x.contentType), "html") || bytes.HasPrefix(bytes.TrimSpace(x.body), []byte("<")))
}

// strangePage is a passing trouble where the API has answered before; else this is not its address.
func (x exchange) strangePage() (Class, error) {
	if x.trusted {
		return Lost, &LostError{Status: x.status, Text: joined("a web page came instead of the API's answer", x.words())}
	}
	return NoAccess, &AccessError{x.status, joined("a web page came instead of the API", x.words()),
		"check the URL, and whether a proxy or login page stands between"}
}

// success examines a 2xx reply: what cannot be read may still be a write that took effect.
func (x exchange) success() (Class, error) {
	unreadable := func(text string) (Class, error) {
		return Lost, &LostError{Status: x.status, Text: fmt.Sprintf("%s (HTTP %d)", text, x.status)}
	}
	root := gjson.ParseBytes(x.body)
	switch {
	case len(bytes.TrimSpace(x.body)) == 0:
		return unreadable("the answer is empty")
	case !gjson.ValidBytes(x.body):
		return unreadable("the answer is cut short or not JSON: " + x.words())
	case x.want == list && !root.IsArray(), x.want != list && !root.IsObject():
		return unreadable("the answer is not of the kind asked for: " + x.words())
	}
	if got := root.Get("id"); x.id != "" && identifier(got) != x.id && (!x.idOptional || identifier(got) != "") {
		return unreadable(fmt.Sprintf("customer %s was asked for, and another answer came: id %s", x.id, visible(got.Raw)))
	}
	if x.want != record {
		return Answered, nil
	}
	// Which of two equal keys an edit would reach cannot be told.
	if key, twice := repeatedKey(root); twice {
		return x.unsafe(fmt.Sprintf("the customer's record holds %q twice", visible(key)))
	}
	if deep(x.body) {
		return x.unsafe("the customer's record is nested too deeply")
	}
	return Answered, nil
}

// unsafe is a record that cannot be edited safely. A write that is answered
// with one was accepted all the same.
func (x exchange) unsafe(why string) (Class, error) {
	err := &RecordError{why + ", and cannot be edited safely", "edit this customer by hand"}
	if x.method == http.MethodGet {
		return Refused, err
	}
	return Lost, &LostError{x.status, err.Text, err}
}

// deepest is how far a record may be nested: real ones have three levels, and
// JSON packages give up somewhere in the thousands.
const deepest = 100

// deep says that valid JSON is nested further than that.
func deep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > deepest {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

// identifier returns an id's digits, whether it came as a number or as text, and "" for none.
func identifier(id gjson.Result) string {
	switch id.Type {
	case gjson.Number:
		return id.Raw
	case gjson.String:
		return id.Str
	}
	return ""
}

func repeatedKey(root gjson.Result) (key string, found bool) {
	seen := map[string]bool{}
	root.ForEach(func(k, _ gjson.Result) bool {
		key = k.String()
		found = seen[key]
		seen[key] = true
		return !found
	})
	return key, found
}

// clean is the body without the key, should the server repeat it.
func (x exchange) clean() []byte {
	if x.key == "" {
		return x.body
	}
	return bytes.ReplaceAll(x.body, []byte(x.key), []byte(mask))
}

// words is what the reply says, for a message.
func (x exchange) words() string { return parseError(x.status, x.clean()).text() }

func joined(what, words string) string {
	if words == "" {
		return what
	}
	return what + ": " + words
}
