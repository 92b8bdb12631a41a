package client

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"rowbatch/client/governor"
)

// Options are the settings of a client.
type Options struct {
	BaseURL   string             // https; http only to a loopback address
	Key       Secret             // as issued: Fusebill's is Base64 already, and is never encoded again
	Username  Secret             // of Trackfinity alone: the admin account whose key it is
	Timeout   time.Duration      // of one attempt, its body included; 0: 30 s
	Transport http.RoundTripper  // nil: NewTransport(8)
	Governor  *governor.Governor // for calls without a lease; nil: such calls are not limited
	Patience  Patience           // the zero one: PatienceFor(BaseURL)
	ReadOnly  bool               // the transport itself refuses every method but GET
	UserAgent string

	// For how long an address is tried that has never answered, before it is taken for a
	// wrong one; 0: its failures are like any other.
	Contact time.Duration
	Stop    <-chan struct{} // closed: no longer
	Silent  func(error)     // told once, at the first failure, why it does not answer; nil: nobody is
	Log     *slog.Logger    // a debug line for each request, without header and form values; nil: none
}

const (
	defaultTimeout     = 30 * time.Second
	defaultConnections = 8

	// ContactTime suits [Options].Contact: all is over within 15 seconds.
	ContactTime = 13 * time.Second
)

// Secret is a key that prints as *** wherever it ends up: in messages, logs,
// JSON, YAML. fmt cannot call methods on unexported struct fields, so keep a
// Secret in exported fields or in closures.
type Secret string

const mask = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string { return mask }

// Format covers every verb, %#v too: %x of a plain string type would print the bytes.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, mask) }

// MarshalText serves JSON and YAML as well.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// SettingError is a setting that cannot be used.
type SettingError struct {
	Setting, Text, Try string

	// Credential reports that it is what proves who calls: a key, or the user name
	// that goes with it.
	Credential bool
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s: %s\ntry: %s", e.Setting, e.Text, e.Try)
}

// Loopback reports whether the URL's host is this machine.
func Loopback(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// OneSpelling spells a base URL in the way that all spellings of the same address have
// in common: scheme and host in lower case, an IP address in its short form, no port that
// goes without saying, a path without doubled slashes, needless escapes and a slash at
// its end. Letter case of the path counts as spelling, too: two installs that differ in
// nothing else are not to be expected. What is no URL with a host stays as it is.
func OneSpelling(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" {
		return baseURL
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	} else if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	port := strings.TrimLeft(u.Port(), "0")
	if port == map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		port = ""
	}
	if port != "" || strings.Contains(host, ":") {
		host = strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	}
	steps := strings.Split(u.EscapedPath(), "/")
	for i, step := range steps {
		if plain, err := url.PathUnescape(step); err == nil {
			steps[i] = url.PathEscape(plain)
		}
	}
	return u.Scheme + "://" + host + strings.TrimSuffix(strings.ToLower(path.Clean("/"+strings.Join(steps, "/"))), "/")
}

// CheckURL returns the base URL without a trailing slash. Its messages do not
// quote the URL, which could hold a password.
func CheckURL(text, setting, try string) (*url.URL, error) {
	u, err := url.Parse(text)
	why := ""
	switch {
	case err != nil, u.Host == "", u.Hostname() == "":
		why = "it is not a URL with a host"
	case u.User != nil:
		why = "it holds a user name or password; the key is a setting of its own"
	case u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		why = "it ends in a query or fragment"
	case u.Scheme == "http" && !Loopback(text):
		why = "http would send the key unencrypted; only a loopback address may use it"
	case u.Scheme != "https" && u.Scheme != "http":
		why = "it does not start with https://"
	}
	if why != "" {
		return nil, &SettingError{Setting: setting, Text: why, Try: try}
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// checkKey asks of a key what every key has; try says where it is to be found.
func checkKey(key Secret, setting, try string) error {
	switch text := key.Reveal(); {
	case text == "":
		return &SettingError{setting, "it is not set", try, true}
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &SettingError{setting, "it holds spaces, line breaks or characters that no key has",
			"copy the key again, without quotes or blanks", true}
	}
	return nil
}
