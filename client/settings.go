package client

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Options are the settings of a Fusebill client.
type Options struct {
	BaseURL   string            // such as https://secure.fusebill.com/v1; http only to a loopback address
	Key       Secret            // as issued: it is Base64 already, and is never encoded again
	Timeout   time.Duration     // of one attempt, its body included; 0: 30 s
	Transport http.RoundTripper // nil: NewTransport(8)
	Governor  *Governor         // for calls without a lease; nil: such calls are not limited
	ReadOnly  bool              // the transport itself refuses every method but GET
	UserAgent string
	Log       *slog.Logger // a debug line for each request, without header values; nil: none
}

const (
	defaultTimeout     = 30 * time.Second
	defaultConnections = 8
)

// SettingError is a setting that cannot be used.
type SettingError struct {
	Setting, Text, Try string

	// Credential says that it is what proves who calls: a key, or the user name
	// that goes with it.
	Credential bool
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s: %s (try: %s)", e.Setting, e.Text, e.Try)
}

// Loopback says that the URL's host is this machine.
func Loopback(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// setting is the name of a setting, and what to do about a bad one.
type setting struct{ name, try string }

func fusebillURL() setting { return setting{"the Fusebill URL", "https://secure.fusebill.com/v1"} }

// checkURL returns the base URL without a trailing slash. Its messages do not
// quote the URL, which could hold a password.
func checkURL(text string, s setting) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) {
		return nil, &SettingError{Setting: s.name, Text: why, Try: s.try}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "":
		return bad("it is not a URL with a host")
	case u.User != nil:
		return bad("it holds a user name or password; the key is a setting of its own")
	case u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return bad("it ends in a query or fragment")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		return bad("http would send the key unencrypted; only a loopback address may use it")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("it does not start with https://")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// checkFusebillKey refuses what cannot be a key, before it is sent anywhere.
func checkFusebillKey(key Secret) error {
	const name = "the Fusebill key"
	if strings.HasPrefix(strings.ToLower(key.Reveal()), "basic ") {
		return &SettingError{name, `it starts with the word "Basic"`, "the key alone, as the account shows it", true}
	}
	return checkKey(key, setting{name, "Settings > Integrations > API Key in the account shows it"})
}

// checkKey asks of a key what every key has; s says where it is to be found.
func checkKey(key Secret, s setting) error {
	switch text := key.Reveal(); {
	case text == "":
		return &SettingError{s.name, "it is not set", s.try, true}
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &SettingError{s.name, "it holds spaces, line breaks or characters that no key has", "copy the key again, without quotes or blanks", true}
	}
	return nil
}

// checkUsername refuses what a header cannot carry unchanged.
func checkUsername(username Secret, s setting) error {
	switch text := username.Reveal(); {
	case text == "":
		return &SettingError{s.name, "it is not set", s.try, true}
	case strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl):
		return &SettingError{s.name, "it holds line breaks, or blanks at its ends", "copy the name again, without them", true}
	}
	return nil
}
