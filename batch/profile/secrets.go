package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/zalando/go-keyring"

	"rowbatch/batch"
	"rowbatch/client"
)

const (
	service     = "rowbatch" // in the keyring
	keyringWait = 20 * time.Second
	commandWait = time.Minute
)

// vault is where the keys of profiles are.
type vault struct {
	environ []string
	wait    time.Duration // for the keyring; 0: keyringWait
	say     interface{ Write([]byte) (int, error) }
}

// key is the key of a profile's account, and where it was found.
func (v vault) key(p *Profile, system string) (key client.Secret, from string, err error) {
	a, trouble := p.Of(system), ""
	if a.Keyring {
		text, err := limited(v, func() (string, error) { return keyring.Get(service, p.Name+"/"+system) })
		switch {
		case err == nil:
			return client.Secret(text), "the keyring", nil
		case errors.Is(err, keyring.ErrNotFound):
			trouble = "the keyring does not have it any more"
		default:
			trouble = "the keyring cannot be asked: " + err.Error()
		}
	}
	switch {
	case a.KeyCommand != "":
		key, err = v.ask(p.Name, a.KeyCommand)
		return key, "key_command", err
	case a.KeyFile != "":
		text, err := readPrivate(a.KeyFile)
		if !errors.Is(err, fs.ErrNotExist) {
			return client.Secret(strings.TrimSpace(string(text))), a.KeyFile, err
		}
		trouble = a.KeyFile + " is not there"
	}
	if trouble != "" {
		trouble = ": " + trouble
	}
	return "", "", batch.Usage("rowbatch login --profile "+p.Name, "the profile %s has no key for %s%s",
		p.Name, systemName(system), trouble)
}

// limited asks the keyring, which may wait for a person or for a service that is not
// there: no longer than the vault waits.
func limited(v vault, ask func() (string, error)) (string, error) {
	if !v.hasKeyring() {
		return "", errNoKeyring
	}
	wait := v.wait
	if wait == 0 {
		wait = keyringWait
	}
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := ask()
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		return a.text, a.err
	case <-time.After(wait):
		return "", fmt.Errorf("it has not answered within %s", wait)
	}
}

var errNoKeyring = errors.New("there is none on this machine (no D-Bus session)")

// hasKeyring reports whether there can be one. Where no session bus runs, its library
// would try to start one.
func (v vault) hasKeyring() bool {
	if slices.Contains([]string{"darwin", "windows"}, runtime.GOOS) || v.value("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)); err == nil {
			return true
		}
	}
	return false
}

// value is that of a variable.
func (v vault) value(name string) string {
	for _, entry := range slices.Backward(v.environ) {
		if value, is := strings.CutPrefix(entry, name+"="); is {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// secretVariables are those that no other program gets.
func secretVariables() []string {
	return []string{"FUSEBILL_API_KEY", "TRACKFINITY_API_KEY", "TRACKFINITY_API_USERNAME"}
}

// Shell is a command line that the user has written, as the system's shell carries it
// out. Its environment is ours without our secrets.
func Shell(ctx context.Context, line string, environ []string) *exec.Cmd {
	c := shellOf(ctx, line)
	c.WaitDelay = time.Second // what it has left behind may hold its output open
	c.Env = slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(secretVariables(), strings.ToUpper(name))
	})
	return c
}

// ask runs a key_command. Its last line is the key. It may be the key's own text that
// makes it fail: neither it nor its output is quoted.
func (v vault) ask(profile, line string) (client.Secret, error) {
	ctx, end := context.WithTimeout(context.Background(), commandWait)
	defer end()
	c := Shell(ctx, line, v.environ)
	c.Stderr = v.say
	out, err := c.Output()
	text := strings.TrimSpace(string(out))
	text = strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
	why := ""
	switch exit, failed := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		why = "has not ended within " + commandWait.String()
	case failed:
		why = "failed: " + exit.String()
	case err != nil:
		why = "cannot be run"
	case text == "":
		why = "has printed nothing"
	default:
		return client.Secret(text), nil
	}
	return "", batch.Usage("run the command by itself, as the file has it that rowbatch profile show names",
		"the key_command of the profile %s %s", profile, why)
}

// Notify runs a user's command with a text on its standard input. Whatever it prints is for
// people. It may name secrets of its own, and is not repeated in the error.
func Notify(command string, text []byte, environ []string, out io.Writer, longest time.Duration) error {
	ctx, end := context.WithTimeout(context.Background(), longest)
	defer end()
	c := Shell(ctx, command, environ)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(text), out, out
	err := c.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the command of --notify was ended after %s", batch.Span(longest))
	case err != nil:
		return fmt.Errorf("the command of --notify did not succeed: %w", err)
	}
	return nil
}

// keep puts a key into the keyring.
func (v vault) keep(profile, system string, key client.Secret) error {
	_, err := limited(v, func() (string, error) { return "", keyring.Set(service, profile+"/"+system, key.Reveal()) })
	return err
}

// forget takes a key out of the keyring again.
func (v vault) forget(profile, system string) error {
	_, err := limited(v, func() (string, error) { return "", keyring.Delete(service, profile+"/"+system) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// writeKey writes a key to a file of its own, which only the user can read.
func writeKey(path string, key client.Secret) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = maybe.WriteFile(path, []byte(key.Reveal()+"\n"), 0o600)
	}
	if err != nil {
		return &batch.Fault{Code: batch.ExitFiles, Text: err.Error(), Try: "--key-file with another path"}
	}
	return nil
}
