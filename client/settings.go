package client

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
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

// KeySetting is the SettingError.Setting of a key that cannot be one.
const KeySetting = "the Fusebill key"

// SettingError is a setting that cannot be used.
type SettingError struct{ Setting, Text, Try string }

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

// checkURL returns the base URL without a trailing slash. Its messages do not
// quote the URL, which could hold a password.
func checkURL(text string) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) {
		return nil, &SettingError{"the Fusebill URL", why, "https://secure.fusebill.com/v1"}
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

// checkKey refuses what cannot be a key, before it is sent anywhere.
func checkKey(key Secret) error {
	text := key.Reveal()
	bad := func(why, try string) error { return &SettingError{KeySetting, why, try} }
	switch {
	case text == "":
		return bad("it is not set", "Settings > Integrations > API Key in the account shows it")
	case strings.HasPrefix(strings.ToLower(text), "basic "):
		return bad(`it starts with the word "Basic"`, "the key alone, as the account shows it")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return bad("it holds spaces, line breaks or characters that no key has", "copy the key again, without quotes or blanks")
	}
	return nil
}
