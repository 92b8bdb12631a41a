package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

const defaultURL = "https://secure.fusebill.com/v1"

// sandboxKey is a key of the form that the vendor issues: Base64 of 0:<secret>.
const sandboxKey = "MDpzYW5kYm94"

// The settings under which the sandbox serves as a Trackfinity install.
const (
	trackfinityKey  = "sandbox-key"
	trackfinityUser = "admin"
)

const sandboxName = "sandbox"

// endpoint is where the requests of one system go.
type endpoint struct {
	system    string
	url       string
	key       client.Secret
	username  client.Secret // of Trackfinity only
	name      string        // base URL and key fingerprint, or "sandbox": what a run is bound to
	transport http.RoundTripper
}

func (e endpoint) loopback() bool { return client.Loopback(e.url) }

// host names the server for people.
func (e endpoint) host() string {
	if e.name == sandboxName {
		return "the sandbox"
	}
	u, err := url.Parse(e.url)
	if err != nil {
		return e.url
	}
	return u.Host
}

// accounts finds the endpoints that a run asks for: in the environment, or in
// the embedded stand-in.
type accounts struct {
	flags *actionFlags
	lock  func(account string) error
	box   *sandbox.Sandbox
}

// open reads the settings of one system's account. connections are kept alive.
func (a *accounts) open(system string, connections int) (endpoint, error) {
	switch {
	case a.flags.sandbox:
		return a.openSandbox(system)
	case system == action.SystemTrackfinity:
		return openTrackfinity(connections)
	}
	return openFusebill(connections)
}

func (a *accounts) close() error {
	if a.box == nil {
		return nil
	}
	return a.box.Close()
}

func openFusebill(connections int) (endpoint, error) {
	key := setting("FUSEBILL_API_KEY")
	if key == "" {
		return endpoint{}, usage("set it to the key from Settings > Integrations > API Key, or pass --sandbox to use the embedded stand-in",
			"FUSEBILL_API_KEY is not set")
	}
	base := strings.TrimRight(setting("FUSEBILL_URL"), "/")
	if base == "" {
		base = defaultURL
	}
	return endpoint{
		system: action.SystemFusebill, url: base, key: client.Secret(key), name: base + "#" + fingerprint(key),
		transport: client.NewTransport(connections),
	}, nil
}

func openTrackfinity(connections int) (endpoint, error) {
	hints := []struct{ name, try string }{
		{"TRACKFINITY_URL", "set it to the address of your install's API, https://<domain>/api"},
		{"TRACKFINITY_API_KEY", "set it to the key of an admin account (Affiliates Admin, Change API Key)"},
		{"TRACKFINITY_API_USERNAME", "set it to the login of the admin account that the key belongs to"},
	}
	for _, h := range hints {
		if setting(h.name) == "" {
			return endpoint{}, usage(h.try+", or pass --sandbox to use the embedded stand-in", "%s is not set", h.name)
		}
	}
	base, key := strings.TrimRight(setting("TRACKFINITY_URL"), "/"), setting("TRACKFINITY_API_KEY")
	return endpoint{
		system: action.SystemTrackfinity, url: base, key: client.Secret(key), username: client.Secret(setting("TRACKFINITY_API_USERNAME")),
		name: base + "#" + fingerprint(key), transport: client.NewTransport(connections),
	}, nil
}

func setting(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// fingerprint tells one key from another without telling the key.
func fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

func (a *accounts) openSandbox(system string) (endpoint, error) {
	if a.box == nil {
		dir, err := sandboxDir()
		if err != nil {
			return endpoint{}, err
		}
		if err := a.lock(sandboxName + ":" + dir); err != nil {
			return endpoint{}, err
		}
		if a.box, err = sandbox.Open(sandbox.Options{Dir: dir, Seed: samples.Seed()}); err != nil {
			return endpoint{}, sandboxTrouble(dir, err)
		}
	}
	e := endpoint{system: system, url: "http://localhost/v1", key: sandboxKey, name: sandboxName, transport: a.box.Transport()}
	if system == action.SystemTrackfinity {
		e.url, e.key, e.username = "http://localhost/api", trackfinityKey, trackfinityUser
	}
	return e, nil
}

func sandboxTrouble(dir string, err error) error {
	if errors.Is(err, sandbox.ErrInUse) {
		return usage("", "%v", err)
	}
	return usage("rowbatch sandbox --reset, or set ROWBATCH_SANDBOX_DIR to another folder", "the sandbox's state in %s cannot be opened: %v", dir, err)
}

func sandboxDir() (string, error) {
	if dir := os.Getenv("ROWBATCH_SANDBOX_DIR"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", usage("set ROWBATCH_SANDBOX_DIR to a folder", "there is no folder for the sandbox's state: %v", err)
	}
	return filepath.Join(cache, "rowbatch", "sandbox"), nil
}
