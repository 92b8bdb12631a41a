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
	base        string
	stray       func() bool // takes note of an unknown path, and reports whether it is the second; nil: it is not
}

// classify says what an attempt means. Where the API's behaviour is not
// documented it takes the meaning that cannot lead to a second effect.
func classify(x exchange) (Class, error) {
	access := func(text, words, try string) (Class, error) {
		return NoAccess, &AccessError{x.status, joined(x.at(text), words), try}
	}
	switch s := x.status; {
	case s == 0:
		return x.unanswered()
	case s == http.StatusTooManyRequests:
		return Throttled, &ThrottledError{x.words()}
	case s >= 300 && s <= 399:
		where := "elsewhere"
		if u, err := url.Parse(x.location); err == nil && u.Host != "" {
			where = "to " + x.secrets.shown(u.Host)
		}
		return access(fmt.Sprintf("the server answered %d and sends callers %s, which is not followed", s, where), "", x.vendor.tryMoved)
	case s == http.StatusUnauthorized, s == http.StatusForbidden, // the latter is in neither vendor's table, and means what HTTP says
		s == http.StatusProxyAuthRequired,
		s == http.StatusBadRequest && x.vendor.badKey != "" && bytes.Contains(x.body, []byte(x.vendor.badKey)):
		return access(fmt.Sprintf("access was refused with %d", s), x.words(), x.vendor.tryDenied)
	case x.err != nil:
		return Lost, &LostError{s, "the answer broke off: " + x.secrets.shown(x.err.Error()), x.err}
	case s < 200, s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly: // it may have been carried out, or not
		return Lost, &LostError{Status: s, Text: joined("the server answered "+statusText(s), x.words())}
	case x.webPage() && (s <= 299 || s == http.StatusNotFound && (!x.vendor.vague404 || !x.trusted)):
		if x.trusted && x.want != echo { // a passing trouble, where the API has answered before
			return Lost, &LostError{Status: s, Text: joined("a web page came instead of the API's answer", x.words())}
		}
		return access("a web page came instead of the API", x.words(), x.vendor.tryPage)
	case x.want == echo && s != http.StatusOK: // it asked for nothing by which it could be wrong
		return access("the server answered "+statusText(s)+" where the API would have answered 200", x.words(), x.vendor.tryPage)
	case s >= 400:
		err := parseError(s, x.body, x.secrets.shown)
		// Fusebill says of a customer who is not there what it says of all errors, and of a path in other words.
		err.Astray = s == http.StatusNotFound && !x.vendor.vague404 && !x.trusted && len(err.Details) == 0
		if err.Astray && x.stray != nil && x.stray() {
			return access("the server answers "+statusText(s)+" and knows nothing of what is asked for", x.words(), x.vendor.tryPage)
		}
		return Refused, err
	}
	return x.success()
}

// at says where something has happened.
func (x exchange) at(text string) string {
	if x.base == "" {
		return text
	}
	return x.base + ": " + text
}

// unanswered is an attempt to which no reply came.
func (x exchange) unanswered() (Class, error) {
	var certificate *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.Is(x.err, ErrReadOnly):
		return Refused, x.err
	case errors.As(x.err, &certificate), errors.As(x.err, &plain):
		return NoAccess, &AccessError{0, x.at("the server could not prove who it is: ") + x.secrets.shown(x.err.Error()),
			"check the URL, this machine's clock, and whether a proxy stands between"}
	case x.unsent:
		return Unsent, &UnsentError{x.err}
	case errors.Is(x.err, context.DeadlineExceeded):
		return Lost, &LostError{0, x.secrets.shown(x.err.Error()), x.err}
	}
	return Lost, &LostError{0, "the connection broke before the answer came: " + x.secrets.shown(x.err.Error()), x.err}
}

// webPage tells an error page of something between from the API's own words.
func (x exchange) webPage() bool {
	labelled := strings.Contains(strings.ToLower(x.contentType), "html")
	return bytes.HasPrefix(bytes.TrimSpace(x.body), []byte("<")) ||
		labelled && (!x.vendor.bareHTML || bytes.Contains(x.body, []byte("<"))) && !gjson.ValidBytes(x.body)
}

// words is what the reply says, for a message.
func (x exchange) words() string { return parseError(x.status, x.body, x.secrets.shown).text() }

func joined(what, words string) string {
	if words == "" {
		return what
	}
	return what + ": " + words
}

// success examines a 2xx reply: what cannot be read may still be a write that took
// effect. It asks for the kind that was wanted, and for the right customer in it.
func (x exchange) success() (Class, error) {
	unreadable := func(text string) (Class, error) {
		return Lost, &LostError{Status: x.status, Text: fmt.Sprintf("%s (HTTP %d)", text, x.status)}
	}
	root := gjson.ParseBytes(x.body)
	switch {
	case x.want == echo:
		return Answered, nil
	case len(bytes.TrimSpace(x.body)) == 0:
		return unreadable("the answer is empty")
	case !gjson.ValidBytes(x.body):
		return unreadable("the answer is cut short or not JSON: " + x.words())
	case x.want == assent: // the vendor says of the word true alone that it means success
		if x.status == http.StatusOK && string(bytes.TrimSpace(x.body)) == "true" {
			return Answered, nil
		}
		return Refused, &NotTrueError{x.status, x.secrets.shown(string(x.body))}
	case x.want == list && !root.IsArray() || x.want != list && !root.IsObject():
		return unreadable("the answer is not of the kind asked for: " + x.words())
	}
	if got := root.Get("id"); x.id != "" && identifier(got) != x.id && (!x.idOptional || identifier(got) != "") {
		return unreadable(fmt.Sprintf("customer %s was asked for, and another answer came: id %s", x.id, x.secrets.shown(got.Raw)))
	}
	if x.want != record {
		return Answered, nil
	}
	why := "is nested too deeply"
	if key, twice := RepeatedKey(root); twice {
		why = fmt.Sprintf("holds %q twice", x.secrets.shown(key))
	} else if !deep(x.body) {
		return Answered, nil
	}
	err := &RecordError{"the customer's record " + why + ", and cannot be edited safely", "edit this customer by hand"}
	if x.method == http.MethodGet {
		return Refused, err
	}
	return Lost, &LostError{x.status, err.Text, err} // a write that is answered so was accepted all the same
}

// deepest is how far a record may be nested: real ones have three levels, and
// JSON packages give up somewhere in the thousands.
const deepest = 100

// deep reports whether valid JSON is nested further than that.
func deep(body []byte) bool {
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) <= deepest { // of which most records have ten
		return false
	}
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

// RepeatedKey finds a key that an object holds twice: which of the two an edit would
// reach, and which one counts, cannot be told.
func RepeatedKey(object gjson.Result) (key string, found bool) {
	seen := make(map[string]struct{}, 56) // a customer has some fifty, and for a few more a map takes twice the room
	keys := 0
	object.ForEach(func(k, _ gjson.Result) bool {
		key = k.String()
		seen[key] = struct{}{}
		keys++
		return len(seen) == keys
	})
	return key, len(seen) < keys
}
