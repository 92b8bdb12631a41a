package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/sync/errgroup"

	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/client"
)

// home gives a test a folder of its own for profiles, and a session bus that a mock stands in for.
func home(t *testing.T) *Accounts {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("AppData", filepath.Join(dir, "config"))
	return New([]string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(dir, "bus")}, nil)
}

const aKey client.Secret = "MDprZXktaW4ta2V5cmluZw=="

// add puts a profile into the file.
func add(t *testing.T, p Profile, a Account) *File {
	t.Helper()
	f, err := Change(func(f *File) error { return f.Add(p, action.SystemFusebill, a) })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A key that login has kept in the keyring is found there before all else, until the profile is removed.
func TestKeyring(t *testing.T) {
	keyring.MockInit()
	a := home(t)
	f := add(t, Profile{Name: "main"}, Account{URL: "http://127.0.0.1:9/v1", KeyCommand: "echo from-command"})
	l := &Login{Accounts: a, Profile: "main"}
	if err := l.Choose(); err != nil {
		t.Fatal(err)
	}
	if where, err := l.Keep(aKey); err != nil || where != "the keyring" {
		t.Fatal(where, err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil || !strings.Contains(string(text), "keyring: true") || strings.Contains(string(text), aKey.Reveal()) {
		t.Fatalf("%v\n%s", err, text)
	}
	if f, err = Read(f.Path); err != nil {
		t.Fatal(err)
	}
	key, from, err := a.key(f.Profiles["main"], action.SystemFusebill)
	if key.Reveal() != aKey.Reveal() || from != "the keyring" || err != nil {
		t.Error(key.Reveal(), from, err)
	}
	if left, err := a.Remove("main"); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
	if _, err := keyring.Get(service, "main/fusebill"); !errors.Is(err, keyring.ErrNotFound) {
		t.Error("the key is still in the keyring:", err)
	}
}

// Whoever changes the file at the same moment as somebody else takes nothing of his away.
func TestChangesAtTheSameMoment(t *testing.T) {
	home(t)
	var all errgroup.Group
	const n = 20
	for i := range n {
		all.Go(func() error {
			_, err := Change(func(f *File) error {
				return f.Add(Profile{Name: fmt.Sprintf("p%d", i), Sandbox: true}, action.SystemFusebill, Account{})
			})
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	path, _ := Path()
	if f, err := Read(path); err != nil || len(f.Profiles) != n {
		t.Errorf("%d profiles of %d, %v", len(f.Profiles), n, err)
	}
}

// A key that somebody has taken out of the keyring is asked of the command.
func TestKeyringWithoutTheKey(t *testing.T) {
	keyring.MockInit()
	a := home(t)
	p := &Profile{Name: "main", Fusebill: &Account{Keyring: true}}
	if _, _, err := a.key(p, action.SystemFusebill); err == nil || !strings.Contains(err.Error(), "the keyring does not have it any more") ||
		!strings.Contains(err.Error(), "try: rowbatch login --profile main") {
		t.Error(err)
	}
	p.Fusebill.KeyCommand = "echo from-command"
	if key, from, err := a.key(p, action.SystemFusebill); key.Reveal() != "from-command" || from != "key_command" || err != nil {
		t.Error(key.Reveal(), from, err)
	}
}

// A keyring that does not answer holds nothing up for long.
func TestKeyringThatDoesNotAnswer(t *testing.T) {
	v := home(t).vault
	v.wait = time.Millisecond
	ends := make(chan struct{})
	defer close(ends)
	_, err := limited(v, func() (string, error) {
		<-ends
		return "", nil
	})
	if err == nil || err.Error() != "it has not answered within 1ms" {
		t.Error(err)
	}
}

// Without a session bus there is no keyring, and nobody starts one.
func TestNoKeyring(t *testing.T) {
	v := vault{}
	if v.hasKeyring() {
		t.Skip("there is one here")
	}
	if _, err := limited(v, func() (string, error) { panic("it was asked") }); !errors.Is(err, errNoKeyring) {
		t.Error(err)
	}
}

// A user's command gets the environment without our secrets, and is given up when its time is over,
// even where what it has started still runs.
func TestShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for sh")
	}
	environ := []string{"PATH=" + os.Getenv("PATH"), "FUSEBILL_API_KEY=a", "TRACKFINITY_API_KEY=b", "TRACKFINITY_API_USERNAME=c", "FUSEBILL_URL=d"}
	out, err := Shell(t.Context(), "env", environ).Output()
	if err != nil || strings.Contains(string(out), "_API_") || !strings.Contains(string(out), "FUSEBILL_URL=d") {
		t.Errorf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := Shell(ctx, "sleep 3 & echo begun; wait", environ)
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Wait(); err == nil {
		t.Error("it has ended well")
	}
}

// A command that takes too long is ended, also where what it has begun keeps its streams open.
func TestNotifyIsEndedInTime(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell to run it")
	}
	var out bytes.Buffer
	err := Notify("sleep 3 & wait", []byte("{}"), os.Environ(), &out, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the command of --notify was ended after 0.1 s") {
		t.Error(err)
	}
}

// What a profile lays down of the pace holds where no flag says otherwise.
func TestTerms(t *testing.T) {
	a := home(t)
	add(t, Profile{Name: "main", Word: "PRODUCTION", Colour: "red"}, Account{URL: "http://127.0.0.1:9/v1", KeyCommand: "echo key", Rate: "120/m", Reserve: "25%"})
	s := job.Defaults()
	s.Sending.Profile = "main"
	if err := a.Settle(&s, func(string) bool { return false }, action.SystemFusebill); err != nil {
		t.Fatal(err)
	}
	e, err := a.Open(action.SystemFusebill, s, 1, nil)
	if err != nil || e.Rate != 2 || e.Reserve == nil || *e.Reserve != 0.25 || e.Word != "PRODUCTION" || e.Colour != "red" || e.Key.Reveal() != "key" {
		t.Errorf("%+v %v", e, err)
	}
}
