package profile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/client"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

const (
	// DefaultURL is where Fusebill is.
	DefaultURL = "https://secure.fusebill.com/v1"

	// Environment is what the account is called that variables name.
	Environment = "environment"

	// SandboxKey is a key of the form that the vendor issues: Base64 of 0:<secret>.
	SandboxKey = "MDpzYW5kYm94"

	// The settings under which the sandbox serves as a Trackfinity install.
	TrackfinityKey  = "sandbox-key"
	TrackfinityUser = "admin"
)

// Accounts finds the endpoints that a command asks for: in the environment, in the
// file of profiles, or in the embedded stand-in, which is opened once.
type Accounts struct {
	vault
	box *sandbox.Sandbox

	given   string   // the profile that --profile names
	profile *Profile // that, or the one in use, where the environment names no account; nil: there is none
	from    string   // what names it
	again   bool     // the command takes up an earlier run, which has an account of its own
	chosen  bool     // somebody has chosen among all accounts: what variables say besides is no contradiction
	found   struct{ address, key string }
}

// New returns the accounts of a process with this environment. What a key_command says
// on its standard error goes to say.
func New(environ []string, say io.Writer) *Accounts {
	return &Accounts{vault: vault{environ: environ, say: say}}
}

// Anew is for one run of a front that makes several: each has its endpoints to itself,
// and goes to an account that somebody has chosen among all.
func (a *Accounts) Anew() *Accounts { return &Accounts{vault: a.vault, given: a.given, chosen: true} }

// named reports whether variables name an account of one of the systems.
func (a *Accounts) named(systems ...string) bool {
	return slices.ContainsFunc(systems, func(system string) bool { return a.value(strings.ToUpper(system)+"_API_KEY") != "" })
}

// Settle finds out which account a command means that speaks with these systems, and
// takes from its profile what no flag has set. With none, the command takes up earlier
// runs, whose accounts are their own.
func (a *Accounts) Settle(s *job.Settings, set func(flag string) bool, systems ...string) error {
	a.again, a.given = len(systems) == 0, s.Sending.Profile
	a.from = "--profile"
	name := a.given
	switch {
	case name != "":
	case s.Sending.Sandbox, a.named(systems...):
		return nil
	default:
		name, a.from = a.value("ROWBATCH_PROFILE"), "ROWBATCH_PROFILE"
	}
	path, err := Path()
	if err != nil && name != "" {
		return err
	} else if err != nil {
		return nil //nolint:nilerr // nobody without a home has profiles
	}
	f, err := Read(path)
	if err != nil {
		return err
	}
	if name == "" {
		name, a.from = f.Use, "rowbatch profile use"
	}
	if name == "" {
		return nil
	}
	p, err := f.Find(name, a.from)
	switch {
	case err != nil:
		return err
	case a.given == "" && a.named(p.Systems()...):
		return nil
	case s.Sending.Sandbox && !p.Sandbox:
		return batch.Usage("one of the two", "--sandbox names the embedded stand-in, and --profile %s names %s", name, p.Host())
	}
	if p.Reports != "" {
		if s.Output.Usual = p.Reports; !set("reports") {
			s.Output.Reports = p.Reports
		}
	}
	if a.given != "" || !a.again { // else it is for the earlier run to say
		s.Sending.Profile, s.Sending.Sandbox = name, p.Sandbox
	}
	a.profile = p
	return nil
}

// Open finds the endpoint of a system by the settings. It is a [job.Opener].
func (a *Accounts) Open(system string, s job.Settings, connections int, lock func(account string) error) (job.Endpoint, error) {
	name := s.Sending.Profile
	if name == "" && a.profile != nil && !a.named(system) {
		name = a.profile.Name
	}
	if s.Sending.Sandbox && s.Sending.Profile == "" {
		return a.openSandbox(system, lock)
	}
	if name == "" {
		return a.openEnvironment(system, connections)
	}
	path, err := Path()
	if err != nil {
		return job.Endpoint{}, err
	}
	f, err := Read(path)
	if err != nil {
		return job.Endpoint{}, err
	}
	p := f.Profiles[name]
	switch {
	case p == nil && s.Sending.Sandbox:
		return a.openSandbox(system, lock)
	case p == nil && a.named(system): // the run's own profile is gone
		return a.openEnvironment(system, connections)
	case p == nil:
		return job.Endpoint{}, batch.Unfit("--profile with one of "+strings.Join(f.Names(), ", "),
			"the run went to the profile %s, which is not in %s any more; nothing was sent", name, path)
	}
	e, err := a.openProfile(p, system, connections, lock)
	e.Word, e.Colour = p.Label(), p.Colour
	if p.ReadOnly {
		e.ReadOnly = p.Name
	}
	return e, err
}

// openProfile opens a profile's account of a system. Where variables name another, that
// may be what is meant.
func (a *Accounts) openProfile(p *Profile, system string, connections int, lock func(string) error) (job.Endpoint, error) {
	if p.Sandbox {
		if err := a.mustAgree(p, system, "", "", ""); err != nil {
			return job.Endpoint{}, err
		}
		return a.openSandbox(system, lock)
	}
	own := p.Of(system)
	if own == nil {
		return job.Endpoint{}, batch.Usage("rowbatch profile add "+p.Name+" --api "+system+" --url URL",
			"the profile %s has no account of %s", p.Name, systemName(system))
	}
	if err := a.mustAgree(p, system, own.URL, "", own.Username); err != nil { // before a command is run or somebody asked
		return job.Endpoint{}, err
	}
	key, from, err := a.key(p, system)
	a.found.address, a.found.key = "the profile "+p.Name, from
	if err == nil {
		err = a.mustAgree(p, system, own.URL, key, own.Username)
	}
	if err != nil {
		return job.Endpoint{}, err
	}
	terms, err := own.terms()
	return endpoint(system, own.URL, key, client.Secret(own.Username), connections, terms), err
}

// mustAgree refuses variables that name another account than the profile. Without a
// key, only what else is known is compared.
func (a *Accounts) mustAgree(p *Profile, system, base string, key client.Secret, username string) error {
	if a.chosen && p.Name != a.given {
		return nil
	}
	prefix := strings.ToUpper(system)
	set := a.value(prefix + "_URL")
	why := ""
	switch {
	case set != "" && (p.Sandbox || client.OneSpelling(set) != client.OneSpelling(base)):
		why = prefix + "_URL names " + hostOf(set)
	case a.value(prefix+"_API_KEY") != "" && (p.Sandbox || key != "" && a.value(prefix+"_API_KEY") != key.Reveal()):
		why = prefix + "_API_KEY is set to another key"
	case username != "" && a.value(prefix+"_API_USERNAME") != "" && a.value(prefix+"_API_USERNAME") != username:
		why = prefix + "_API_USERNAME is set to another name"
	default:
		return nil
	}
	variable, _, _ := strings.Cut(why, " ")
	try := "unset " + variable
	switch {
	case a.given != "":
		try += ", or leave --profile out"
	case a.again:
		return batch.Unfit(try, "the run went to the profile %s, %s, and %s; nothing was sent", p.Name, p.Host(), why)
	default:
		try += ", or set the key that goes with it"
	}
	return batch.Usage(try, "%s, and the profile %s names %s; nothing was sent", why, p.Name, p.Host())
}

func endpoint(system, base string, key, username client.Secret, connections int, terms job.Terms) job.Endpoint {
	name := client.OneSpelling(base) + "#" + Fingerprint(key.Reveal())
	return job.Endpoint{System: system, URL: base, Key: key, Username: username, Name: name,
		Transport: client.NewTransport(connections), Terms: terms}
}

func (a *Accounts) openSandbox(system string, lock func(account string) error) (job.Endpoint, error) {
	e := job.Endpoint{System: system, URL: "http://localhost/v1", Key: SandboxKey, Name: job.StandIn}
	if a.box == nil {
		dir, err := a.SandboxDir()
		if err != nil {
			return job.Endpoint{}, err
		}
		if err := lock(job.StandIn + ":" + dir); err != nil {
			return job.Endpoint{}, err
		}
		if a.box, err = sandbox.Open(sandbox.Options{Dir: dir, Seed: samples.Seed()}); err != nil {
			return job.Endpoint{}, SandboxTrouble(dir, err)
		}
		e.Close = a.box.Close
	}
	e.Transport = a.box.Transport()
	if system == action.SystemTrackfinity {
		e.URL, e.Key, e.Username = "http://localhost/api", TrackfinityKey, TrackfinityUser
	}
	return e, nil
}

// openEnvironment opens the account of a system that variables name.
func (a *Accounts) openEnvironment(system string, connections int) (job.Endpoint, error) {
	prefix := strings.ToUpper(system)
	for _, needed := range a.needed(system) {
		if a.value(needed.name) == "" {
			return job.Endpoint{}, batch.Usage(missing(system, needed), "%s is not set", needed.name)
		}
	}
	base := strings.TrimRight(a.value(prefix+"_URL"), "/")
	a.found.address, a.found.key = "", prefix+"_API_KEY"
	if base != "" {
		a.found.address = prefix + "_URL"
	}
	if system == action.SystemFusebill {
		base = cmp.Or(base, DefaultURL)
	}
	key, username := client.Secret(a.value(prefix+"_API_KEY")), client.Secret(a.value(prefix+"_API_USERNAME"))
	return endpoint(system, base, key, username, connections, job.Terms{}), nil
}

// missing is what helps where a variable is not set, and no profile is in use.
func missing(system string, needed variable) string {
	var names []string
	if path, err := Path(); err == nil {
		if f, err := Read(path); err == nil {
			names = slices.DeleteFunc(f.Names(), func(name string) bool { return !slices.Contains(f.Profiles[name].Systems(), system) })
		}
	}
	const shown = 3
	switch len(names) {
	case 0:
		return "keep a key with rowbatch login, or " + needed.try + ", or --sandbox to use the embedded stand-in"
	case 1:
		return fmt.Sprintf("--profile %s, or rowbatch profile use %[1]s", names[0])
	}
	return fmt.Sprintf("--profile with one of %s, or rowbatch profile use with it", strings.Join(names[:min(len(names), shown)], ", "))
}

// variable is one that must be set, and what helps.
type variable struct{ name, try string }

// needed are the variables without which there is no account of a system.
func (a *Accounts) needed(system string) []variable {
	if system == action.SystemTrackfinity {
		return []variable{
			{"TRACKFINITY_URL", "set it to the address of your install's API, https://<domain>/api"},
			{"TRACKFINITY_API_KEY", "set it to the key of an admin account (Affiliates Admin, Change API Key)"},
			{"TRACKFINITY_API_USERNAME", "set it to the login of the admin account that the key belongs to"},
		}
	}
	return []variable{{"FUSEBILL_API_KEY", "set it to the key from Settings > Integrations > API Key"}}
}

func systemName(system string) string { return strings.ToUpper(system[:1]) + system[1:] }

// hostOf is the host of an address, which is not shown as a whole: it may hold a password.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "another address"
}

// Fingerprint tells one key from another without telling the key.
func Fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

// SandboxTrouble is why the sandbox's state cannot be opened.
func SandboxTrouble(dir string, err error) error {
	if errors.Is(err, sandbox.ErrInUse) {
		return batch.Usage("set ROWBATCH_SANDBOX_DIR to another folder; or, where rowbatch sandbox serves this one, "+
			"leave --sandbox out and set the variables that it printed", "%v", err)
	}
	return batch.Usage("rowbatch sandbox --reset, or set ROWBATCH_SANDBOX_DIR to another folder",
		"the sandbox's state in %s cannot be opened: %v", dir, err)
}

// SandboxDir is where the sandbox's state is.
func (a *Accounts) SandboxDir() (string, error) {
	if dir := a.value("ROWBATCH_SANDBOX_DIR"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", batch.Usage("set ROWBATCH_SANDBOX_DIR to a folder", "there is no folder for the sandbox's state: %v", err)
	}
	return filepath.Join(cache, "rowbatch", "sandbox"), nil
}

// Overridden tells of variables that go before a profile in use.
func (a *Accounts) Overridden(p *Profile, w io.Writer) error {
	names := []string{"ROWBATCH_PROFILE"}
	for _, system := range p.Systems() {
		names = append(names, strings.ToUpper(system)+"_API_KEY")
	}
	for _, name := range names {
		if value := a.value(name); value != "" && value != p.Name {
			_, err := fmt.Fprintf(w, "rowbatch: %s is set, and goes before the profile in use\n", name)
			return err
		}
	}
	return nil
}

// Remove takes a profile out of the file, and its keys out of the keyring. left is what stays.
func (a *Accounts) Remove(name string) (left []string, err error) {
	var p *Profile
	_, err = Change(func(f *File) (err error) {
		if p, err = f.Find(name, "the command line"); err == nil {
			err = f.Set(nil, "profiles", name)
		}
		if err == nil && f.Use == name {
			err = f.Set(nil, "use")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, system := range p.Systems() {
		own := p.Of(system)
		if own != nil && own.Keyring {
			if err := a.forget(name, system); err != nil {
				left = append(left, "the key "+name+"/"+system+" may still be in the keyring: "+err.Error())
			}
		}
		if own != nil && own.KeyFile != "" {
			left = append(left, own.KeyFile+" stays")
		}
	}
	return left, nil
}

// Choice is an account that may be chosen among others.
type Choice struct {
	Name, Host, Word, Colour string
	Sandbox                  bool
	Profile                  string // that it is; "": the environment's, or the stand-in
}

// Choices are all accounts that there are, the one that a command means first.
func (a *Accounts) Choices(s job.Settings) (all []Choice, err error) {
	path, err := Path()
	f := &File{}
	if err == nil {
		f, err = Read(path)
	}
	if err != nil && a.profile != nil {
		return nil, err
	}
	for _, system := range []string{action.SystemFusebill, action.SystemTrackfinity} {
		if prefix := strings.ToUpper(system); a.value(prefix+"_API_KEY") != "" {
			host := hostOf(cmp.Or(a.value(prefix+"_URL"), DefaultURL))
			all = append(all, Choice{Name: Environment, Host: host, Word: "PRODUCTION"})
			break
		}
	}
	if f != nil {
		for _, name := range f.Names() {
			p := f.Profiles[name]
			all = append(all, Choice{Name: name, Host: p.Host(), Word: p.Label(), Colour: p.Colour, Sandbox: p.Sandbox, Profile: name})
		}
	}
	if !slices.ContainsFunc(all, func(c Choice) bool { return c.Sandbox }) {
		all = append(all, Choice{Name: job.StandIn, Host: "the sandbox", Word: "SANDBOX", Sandbox: true})
	}
	first := slices.IndexFunc(all, func(c Choice) bool {
		return s.Sending.Profile != "" && c.Profile == s.Sending.Profile || s.Sending.Profile == "" && s.Sending.Sandbox && c.Sandbox
	})
	if first > 0 {
		chosen := all[first]
		all = slices.Insert(slices.Delete(all, first, first+1), 0, chosen)
	}
	return all, nil
}
