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

	"rowbatch/client"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

const defaultURL = "https://secure.fusebill.com/v1"

// sandboxKey is a key of the form that the vendor issues: Base64 of 0:<secret>.
const sandboxKey = "MDpzYW5kYm94"

// account is where requests go.
type account struct {
	url       string
	key       client.Secret
	name      string // base URL and key fingerprint, or "sandbox": what a run is bound to
	transport http.RoundTripper
	close     func() error
}

func (a account) loopback() bool { return client.Loopback(a.url) }

// host names the account's server for people.
func (a account) host() string {
	if a.name == "sandbox" {
		return "the sandbox"
	}
	u, err := url.Parse(a.url)
	if err != nil {
		return a.url
	}
	return u.Host
}

// openAccount reads the settings of the Fusebill account, or opens the embedded stand-in.
func openAccount(embedded bool, connections int) (account, error) {
	if embedded {
		return openSandbox()
	}
	key := strings.TrimSpace(os.Getenv("FUSEBILL_API_KEY"))
	if key == "" {
		return account{}, usage("set it to the key from Settings > Integrations > API Key, or pass --sandbox to use the embedded stand-in",
			"FUSEBILL_API_KEY is not set")
	}
	base := strings.TrimRight(strings.TrimSpace(os.Getenv("FUSEBILL_URL")), "/")
	if base == "" {
		base = defaultURL
	}
	return account{
		url: base, key: client.Secret(key), name: base + "#" + fingerprint(key),
		transport: client.NewTransport(connections), close: func() error { return nil },
	}, nil
}

// fingerprint tells one key from another without telling the key.
func fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

func openSandbox() (account, error) {
	dir, err := sandboxDir()
	if err != nil {
		return account{}, err
	}
	box, err := sandbox.Open(sandbox.Options{Dir: dir, Seed: samples.Seed()})
	if err != nil {
		return account{}, sandboxTrouble(dir, err)
	}
	return account{
		url: "http://localhost/v1", key: sandboxKey, name: "sandbox",
		transport: box.Transport(), close: box.Close,
	}, nil
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
