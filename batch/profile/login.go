package profile

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/client"
)

// usual is the name of the profile that a first login makes.
const usual = "default"

// Login gives an account its key: Choose, Try and Keep, one after the other.
type Login struct {
	Accounts *Accounts
	Profile  string // "": the one in use, or a new one
	API      string // fusebill or trackfinity; "": the only one that the profile has
	KeyFile  string // where the key is to be kept; "": as the profile says, or in the keyring
	Program  string

	file    *File
	profile *Profile
	isNew   bool
}

// Choose finds the account that the key is of.
func (l *Login) Choose() error {
	path, err := Path()
	if err != nil {
		return err
	}
	if l.file, err = Read(path); err != nil {
		return err
	}
	name, from := l.Profile, "--profile"
	if name == "" {
		name, from = l.Accounts.value("ROWBATCH_PROFILE"), "ROWBATCH_PROFILE"
	}
	if name == "" {
		name, from = l.file.Use, "rowbatch profile use"
	}
	if name == "" && len(l.file.Profiles) == 0 {
		l.isNew = true
		l.profile = &Profile{Name: usual, Fusebill: &Account{URL: cmp.Or(l.Accounts.value("FUSEBILL_URL"), DefaultURL)}}
	} else if name == "" {
		return batch.Usage("rowbatch login --profile "+l.file.Names()[0], "no profile is in use, and --profile names none")
	} else if l.profile, err = l.file.Find(name, from); err != nil {
		return err
	}
	systems := l.profile.Systems()
	switch {
	case l.profile.Sandbox:
		return batch.Usage("rowbatch doctor --profile "+l.profile.Name, "the profile %s is the sandbox, which needs no key", l.profile.Name)
	case l.API == "" && len(systems) > 1:
		return batch.Usage("rowbatch login --profile "+l.profile.Name+" --api "+systems[0], "the profile %s has accounts of %s and %s",
			l.profile.Name, systemName(systems[0]), systemName(systems[1]))
	case l.API == "":
		l.API = systems[0]
	}
	if l.API != action.SystemFusebill && l.API != action.SystemTrackfinity || l.profile.Of(l.API) == nil {
		return batch.Usage("--api "+systems[0], "the profile %s has no account of %q", l.profile.Name, l.API)
	}
	own := l.profile.Of(l.API)
	if l.isNew {
		if _, err := client.CheckURL(own.URL, "FUSEBILL_URL", DefaultURL); err != nil {
			return err
		}
	}
	l.Accounts.given = l.Profile
	return l.Accounts.mustAgree(l.profile, l.API, own.URL, "", own.Username)
}

// Overridden tells of a variable that goes before what was kept.
func (l *Login) Overridden(w io.Writer) error { return l.Accounts.Overridden(l.profile, w) }

// What names the account.
func (l *Login) What() string {
	return fmt.Sprintf("%s at %s, for the profile %s", systemName(l.API), hostOf(l.profile.Of(l.API).URL), l.profile.Name)
}

// Flag names the profile to a command that would not go there by itself.
func (l *Login) Flag() string {
	if l.isNew || l.file.Use == l.profile.Name {
		return ""
	}
	return " --profile " + l.profile.Name
}

// Try makes one request with the key, and tells whom it has opened.
func (l *Login) Try(c job.Control, key client.Secret) (string, error) {
	own, s := l.profile.Of(l.API), job.Defaults()
	s.Sending.DryRun = true
	open := func(system string, _ job.Settings, n int, _ func(string) error) (job.Endpoint, error) {
		return endpoint(system, own.URL, key, client.Secret(own.Username), n, job.Terms{}), nil
	}
	p, _, err := connect(c, s, open, l.Program, l.API)
	if err != nil {
		return "", err
	}
	defer p.cut()
	defer p.session.Release()
	a, err := p.ask()
	return a.text, err
}

// NoKeyringError is the error of a key that cannot be kept in the keyring.
type NoKeyringError struct {
	Err  error
	File string // that could hold it
	flag string // to name the profile by
}

func (e *NoKeyringError) Error() string {
	return "the key cannot be kept in the keyring: " + e.Err.Error()
}

// Refusal is the end of a login that has nowhere to keep its key.
func (e *NoKeyringError) Refusal() error {
	return batch.Usage("rowbatch login"+e.flag+" --key-file "+job.QuoteWord(e.File)+", which you alone will be able to read",
		"%v; nothing was kept", e)
}

// Keep keeps the key, and notes in the profile where.
func (l *Login) Keep(key client.Secret) (where string, err error) {
	name, own := l.profile.Name, *l.profile.Of(l.API)
	own.KeyFile = cmp.Or(l.KeyFile, own.KeyFile)
	where = own.KeyFile
	if own.KeyFile != "" {
		own.Keyring = false
		err = writeKey(own.KeyFile, key)
	} else {
		own.Keyring, where = true, "the keyring"
		if failed := l.Accounts.keep(name, l.API, key); failed != nil {
			flag := ""
			if l.Profile != "" {
				flag = " --profile " + l.Profile
			}
			return "", &NoKeyringError{failed, filepath.Join(filepath.Dir(l.file.Path), name+"."+l.API+".key"), flag}
		}
	}
	if err != nil {
		return "", err
	}
	return where, l.note(own)
}

// note writes into the profile what login knows of an account.
func (l *Login) note(own Account) error {
	_, err := Change(func(f *File) error {
		path := []string{"profiles", l.profile.Name, l.API}
		if l.isNew {
			return cmp.Or(f.Set(own, path...), f.Set(l.profile.Name, "use"))
		}
		if _, err := f.Find(l.profile.Name, "this login"); err != nil {
			return err // somebody has just removed it
		}
		var keyring, file any
		if own.Keyring {
			keyring = true
		}
		if own.KeyFile != "" {
			file = own.KeyFile
		}
		return cmp.Or(f.Set(keyring, append(path, "keyring")...), f.Set(file, append(path, "key_file")...))
	})
	return err
}
