package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
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

// accounts finds the endpoints that a run asks for: in the environment, or in the
// embedded stand-in, which is opened once.
type accounts struct{ box *sandbox.Sandbox }

// open reads the settings of one system's account.
func (a *accounts) open(system string, s job.Settings, connections int, lock func(account string) error) (job.Endpoint, error) {
	switch {
	case s.Sending.Sandbox:
		return a.openSandbox(system, lock)
	case system == action.SystemTrackfinity:
		return openTrackfinity(connections)
	}
	return openFusebill(connections)
}

func (a *accounts) openSandbox(system string, lock func(account string) error) (job.Endpoint, error) {
	e := job.Endpoint{System: system, URL: "http://localhost/v1", Key: sandboxKey, Name: job.StandIn}
	if a.box == nil {
		dir, err := sandboxDir()
		if err != nil {
			return job.Endpoint{}, err
		}
		if err := lock(job.StandIn + ":" + dir); err != nil {
			return job.Endpoint{}, err
		}
		if a.box, err = sandbox.Open(sandbox.Options{Dir: dir, Seed: samples.Seed()}); err != nil {
			return job.Endpoint{}, sandboxTrouble(dir, err)
		}
		e.Close = a.box.Close
	}
	e.Transport = a.box.Transport()
	if system == action.SystemTrackfinity {
		e.URL, e.Key, e.Username = "http://localhost/api", trackfinityKey, trackfinityUser
	}
	return e, nil
}

func openFusebill(connections int) (job.Endpoint, error) {
	key := setting("FUSEBILL_API_KEY")
	if key == "" {
		return job.Endpoint{}, batch.Usage("set it to the key from Settings > Integrations > API Key, "+
			"or pass --sandbox to use the embedded stand-in", "FUSEBILL_API_KEY is not set")
	}
	base := cmp.Or(strings.TrimRight(setting("FUSEBILL_URL"), "/"), defaultURL)
	return job.Endpoint{
		System: action.SystemFusebill, URL: base, Key: client.Secret(key), Name: client.OneSpelling(base) + "#" + fingerprint(key),
		Transport: client.NewTransport(connections),
	}, nil
}

func openTrackfinity(connections int) (job.Endpoint, error) {
	hints := []struct{ name, try string }{
		{"TRACKFINITY_URL", "set it to the address of your install's API, https://<domain>/api"},
		{"TRACKFINITY_API_KEY", "set it to the key of an admin account (Affiliates Admin, Change API Key)"},
		{"TRACKFINITY_API_USERNAME", "set it to the login of the admin account that the key belongs to"},
	}
	for _, h := range hints {
		if setting(h.name) == "" {
			return job.Endpoint{}, batch.Usage(h.try+", or pass --sandbox to use the embedded stand-in", "%s is not set", h.name)
		}
	}
	base, key := strings.TrimRight(setting("TRACKFINITY_URL"), "/"), setting("TRACKFINITY_API_KEY")
	return job.Endpoint{
		System: action.SystemTrackfinity, URL: base, Key: client.Secret(key), Username: client.Secret(setting("TRACKFINITY_API_USERNAME")),
		Name: client.OneSpelling(base) + "#" + fingerprint(key), Transport: client.NewTransport(connections),
	}, nil
}

func setting(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// fingerprint tells one key from another without telling the key.
func fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

func sandboxTrouble(dir string, err error) error {
	if errors.Is(err, sandbox.ErrInUse) {
		return batch.Usage("", "%v", err)
	}
	return batch.Usage("rowbatch sandbox --reset, or set ROWBATCH_SANDBOX_DIR to another folder",
		"the sandbox's state in %s cannot be opened: %v", dir, err)
}

func sandboxDir() (string, error) {
	if dir := os.Getenv("ROWBATCH_SANDBOX_DIR"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", batch.Usage("set ROWBATCH_SANDBOX_DIR to a folder", "there is no folder for the sandbox's state: %v", err)
	}
	return filepath.Join(cache, "rowbatch", "sandbox"), nil
}
