// Package profile knows where a run's requests go, and with which key: as the
// environment says, as a profile of the user's own file says, or to the embedded
// stand-in.
//
//	file.go      the file of profiles: read, checked, changed in place
//	secrets.go   keys: the keyring, a command, a file of mode 0600
//	accounts.go  which of all these a command means, as the endpoints of a job
//	doctor.go    what is set and from where, and whether a run could begin
//
// A key stands in none of its files but those of mode 0600 that hold nothing else, and
// in none of its messages: what the file of profiles holds is never quoted.
package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"go.yaml.in/yaml/v4"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/client"
	"rowbatch/mapping"
)

// Profile is what the file says under a name.
type Profile struct {
	Name        string   `yaml:"-"`
	Sandbox     bool     `yaml:"sandbox,omitempty"`
	Word        string   `yaml:"word,omitempty"` // stands wherever the account is named; "": the name does
	Colour      string   `yaml:"colour,omitempty"`
	ReadOnly    bool     `yaml:"read_only,omitempty"`
	Reports     string   `yaml:"reports,omitempty"`
	Fusebill    *Account `yaml:"fusebill,omitempty"`
	Trackfinity *Account `yaml:"trackfinity,omitempty"`
}

// Account is a profile's account of one system. Its key is looked for in the keyring,
// then asked of the command, then read from the file.
type Account struct {
	URL        string `yaml:"url,omitempty"`
	Username   string `yaml:"username,omitempty"` // of Trackfinity
	Keyring    bool   `yaml:"keyring,omitempty"`  // login has put the key there
	KeyCommand string `yaml:"key_command,omitempty"`
	KeyFile    string `yaml:"key_file,omitempty"`
	Rate       string `yaml:"rate,omitempty"`
	Reserve    string `yaml:"reserve,omitempty"`
}

// Of is the account of a system; nil: there is none.
func (p *Profile) Of(system string) *Account {
	if system == action.SystemTrackfinity {
		return p.Trackfinity
	}
	return p.Fusebill
}

// Systems are those of which the profile has an account.
func (p *Profile) Systems() (names []string) {
	for _, system := range []string{action.SystemFusebill, action.SystemTrackfinity} {
		if p.Sandbox || p.Of(system) != nil {
			names = append(names, system)
		}
	}
	return names
}

// Host is where requests go, for people.
func (p *Profile) Host() string {
	if p.Sandbox {
		return "the sandbox"
	}
	var hosts []string
	for _, system := range p.Systems() {
		hosts = append(hosts, hostOf(p.Of(system).URL))
	}
	return strings.Join(slices.Compact(hosts), " and ")
}

// Label is what the account is called.
func (p *Profile) Label() string {
	if p.Word == "" {
		return p.Name
	}
	return p.Word
}

// Colours are those that a word may have.
func Colours() []string { return []string{"red", "yellow", "green", "cyan", "blue", "magenta"} }

// File is the user's file of profiles.
type File struct {
	Path     string              `yaml:"-"`
	Use      string              `yaml:"use,omitempty"` // the profile of a command that names none
	Profiles map[string]*Profile `yaml:"profiles,omitempty"`
	document yaml.Node           // with the user's comments
}

// Path is where the file stands.
func Path() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", batch.Usage("set HOME, or XDG_CONFIG_HOME to a folder of yours", "there is no folder for profiles: %v", err)
	}
	return filepath.Join(dir, "rowbatch", "config.yaml"), nil
}

// Read reads the file; one that is not there has no profiles. Every problem of it is
// told with its place, and no line is shown.
func Read(path string) (*File, error) {
	f := &File{Path: path, Profiles: map[string]*Profile{}}
	text, err := readPrivate(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, err
	case len(bytes.TrimSpace(text)) == 0:
		return f, nil
	}
	if err := yaml.Load(text, &f.document); err != nil {
		return nil, f.refusal([]error{err})
	}
	var wrong []error
	if err := yaml.Load(text, f, yaml.WithKnownFields()); err != nil {
		if all, ok := errors.AsType[*yaml.LoadErrors](err); ok {
			for _, one := range all.Errors {
				wrong = append(wrong, one)
			}
			return nil, f.refusal(wrong)
		}
		return nil, f.refusal([]error{err})
	}
	for _, name := range f.Names() {
		if f.Profiles[name] == nil {
			f.Profiles[name] = &Profile{}
		}
		f.Profiles[name].Name = name
		for _, p := range f.Profiles[name].problems() {
			wrong = append(wrong, f.at(p.text, append([]string{"profiles", name}, p.path...)...))
		}
	}
	if f.Use != "" && f.Profiles[f.Use] == nil {
		wrong = append(wrong, f.at("use names no profile of this file", "use"))
	}
	if len(wrong) > 0 {
		return nil, f.refusal(wrong)
	}
	return f, nil
}

// readPrivate reads a file that only its owner may read.
func readPrivate(path string) ([]byte, error) {
	h, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, batch.Usage("see that it can be read by you", "%v", err)
	}
	defer h.Close()
	is, err := h.Stat()
	if err != nil || !is.Mode().IsRegular() {
		return nil, batch.Usage("put a file there", "%s is no file", path)
	}
	if others := is.Mode().Perm() & 0o077; others != 0 && runtime.GOOS != "windows" {
		return nil, batch.Usage("chmod 600 "+job.QuoteWord(path), "%s has mode %04o: others of this machine could read or change it",
			path, is.Mode().Perm())
	}
	const most = 1 << 20
	if is.Size() > most {
		return nil, batch.Usage("put the right file there", "%s is longer than 1 MiB", path)
	}
	return os.ReadFile(path)
}

// wrongAt is a problem of a profile, under a path of fields.
type wrongAt struct {
	path []string
	text string
}

// problems are what the profile says and cannot mean.
func (p *Profile) problems() (all []wrongAt) {
	say := func(text string, path ...string) { all = append(all, wrongAt{path, text}) }
	if !isName(p.Name) {
		say("a profile's name is made of up to 24 letters, digits, dots, hyphens and underscores, and is not environment")
	}
	if p.Colour != "" && !slices.Contains(Colours(), p.Colour) {
		say("colour is one of "+strings.Join(Colours(), ", "), "colour")
	}
	if p.Reports != "" && !filepath.IsAbs(p.Reports) {
		say("reports is the whole path of a folder, from the root on", "reports")
	}
	if len([]rune(p.Word)) > 40 || batch.Visible(p.Word) != p.Word {
		say("word is up to 40 plain characters", "word")
	}
	switch has := p.Fusebill != nil || p.Trackfinity != nil; {
	case p.Sandbox && has:
		say("a sandbox needs neither address nor key", "sandbox")
	case !p.Sandbox && !has:
		say("a profile has fusebill, trackfinity or sandbox: true")
	}
	for _, system := range []string{action.SystemFusebill, action.SystemTrackfinity} {
		a := p.Of(system)
		if a == nil {
			continue
		}
		check := func(err error, field string) {
			if setting, ok := errors.AsType[*client.SettingError](err); ok {
				say("url: "+setting.Text, system, field)
			} else if err != nil {
				say("rate is such as 5/s or 300/m, reserve a share such as 10%", system, field)
			}
		}
		if system == action.SystemFusebill && a.URL == "" {
			a.URL = DefaultURL
		}
		_, err := client.CheckURL(a.URL, "url", "")
		check(err, "url")
		if (a.Username == "") == (system == action.SystemTrackfinity) {
			say("username is the admin login that a Trackfinity key belongs to, and of no other system", system, "username")
		}
		if a.KeyFile != "" && !filepath.IsAbs(a.KeyFile) {
			say("key_file is the whole path of a file, from the root on", system, "key_file")
		}
		_, err = a.terms()
		check(err, "rate")
	}
	return all
}

// terms are what is laid down of requests.
func (a *Account) terms() (t job.Terms, err error) {
	if a.Rate != "" {
		if _, t.Rate, err = job.ParseRate(a.Rate); err != nil || strings.Contains(a.Rate, "=") {
			return t, batch.Usage("--rate 5/s", "the rate is not a number of requests a second or a minute")
		}
	}
	if a.Reserve != "" {
		t.Reserve = new(job.Share)
		err = t.Reserve.UnmarshalText([]byte(a.Reserve))
	}
	return t, err
}

func isName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$`).MatchString(name) && name != Environment
}

// place is an error at a place in the file.
type place struct {
	line, column int
	text         string
}

func (p place) Error() string { return p.text }

// at is a problem at the value under a path of fields, or where that would stand.
func (f *File) at(text string, path ...string) error {
	n := root(&f.document)
	for _, name := range path {
		if i := fieldOf(n, name); i >= 0 {
			n = n.Content[i+1]
		}
	}
	return place{n.Line, n.Column, text}
}

// refusal tells all that is wrong with the file. What stands there is not shown.
func (f *File) refusal(all []error) error {
	var lines []string
	for _, err := range all {
		var p place
		if loading, ok := errors.AsType[*yaml.LoadError](err); ok {
			p = place{loading.Mark.Line, loading.Mark.Column, meaning(loading.Message)}
		} else if !errors.As(err, &p) {
			p = place{1, 1, meaning(err.Error())}
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", f.Path, max(1, p.line), max(1, p.column), p.text))
	}
	return batch.Usage("rowbatch help settings", "%s", strings.Join(lines, "\n"))
}

// meaning puts the words of YAML's reader plainly, and leaves out what they quote.
func meaning(text string) string {
	if name, _, found := strings.Cut(strings.TrimPrefix(text, "field "), " not found in type"); found {
		known := []string{"use", "profiles", "sandbox", "word", "colour", "read_only", "reports", "fusebill", "trackfinity",
			"url", "username", "keyring", "key_command", "key_file", "rate", "reserve"}
		near, is := mapping.Nearest(name, known)
		switch {
		case looksSecret(name):
			return "a key never stands in this file: rowbatch login keeps it, or key_command, or key_file"
		case is:
			return "there is no such field here; " + near + " is one"
		}
		return "there is no such field here"
	}
	switch {
	case strings.HasPrefix(text, "mapping key"):
		return "a field stands twice"
	case strings.HasPrefix(text, "cannot construct"):
		return "this takes something else: a text, true or false, or fields of its own"
	case strings.Contains(text, "document"):
		return "there is more than one document"
	}
	return "this is not YAML; the line is not shown, since it may hold a secret"
}

// looksSecret reports whether a field is one that people give keys to.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	words := []string{"key", "secret", "token", "pass", "credential"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// Names are those of the profiles, in order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Profiles)) }

// Find returns the profile of a name; from is what has named it.
func (f *File) Find(name, from string) (*Profile, error) {
	if p := f.Profiles[name]; p != nil {
		return p, nil
	}
	try := "rowbatch profile add " + name
	if near, ok := mapping.Nearest(name, f.Names()); ok {
		try = near
	} else if len(f.Names()) > 0 {
		try = "one of " + strings.Join(f.Names(), ", ")
	}
	return nil, batch.Usage(try, "there is no profile %q, which %s names, in %s", name, from, f.Path)
}

// Set puts a value under a path of fields; nil takes that away.
func (f *File) Set(value any, path ...string) error {
	if f.document.Kind == 0 {
		f.document = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	n := root(&f.document)
	for _, name := range path[:len(path)-1] {
		i := fieldOf(n, name)
		if i < 0 {
			i = len(n.Content)
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{Kind: yaml.MappingNode})
		}
		if n.Content[i+1].Kind != yaml.MappingNode { // profiles: with nothing behind it
			*n.Content[i+1] = yaml.Node{Kind: yaml.MappingNode}
		}
		n = n.Content[i+1]
	}
	name := path[len(path)-1]
	i := fieldOf(n, name)
	if value == nil {
		if i >= 0 {
			n.Content = slices.Delete(n.Content, i, i+2)
		}
		return nil
	}
	var to yaml.Node
	if err := to.Encode(value); err != nil {
		return err
	}
	if i < 0 {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &to)
		return nil
	}
	to.LineComment = n.Content[i+1].LineComment
	n.Content[i+1] = &to
	return nil
}

// root is the mapping of a document.
func root(document *yaml.Node) *yaml.Node {
	if len(document.Content) == 0 {
		return document
	}
	return document.Content[0]
}

// fieldOf is where a field of a mapping begins in its content; -1: it has no such field.
func fieldOf(n *yaml.Node, name string) int {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// Change changes the user's file of profiles, while no other process does.
func Change(change func(*File) error) (*File, error) {
	path, err := Path()
	if err != nil {
		return nil, err
	}
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		ctx, end := context.WithTimeout(context.Background(), changeWait)
		defer end()
		lock := flock.New(path+".lock", flock.SetPermissions(0o600))
		defer lock.Close()
		_, err = lock.TryLockContext(ctx, changeWait/1000)
	}
	if err != nil {
		return nil, unwritable(err)
	}
	f, err := Read(path)
	if err == nil {
		err = change(f)
	}
	if err != nil {
		return nil, err
	}
	return f, f.save()
}

// changeWait is for how long a change waits for others, which take milliseconds.
const changeWait = 10 * time.Second

func unwritable(err error) error {
	return &batch.Fault{Code: batch.ExitFiles, Text: "the file of profiles: " + err.Error(), Try: "see that its folder can be written to"}
}

// save writes the file, whole or not at all.
func (f *File) save() error {
	text, err := yaml.Dump(&f.document, yaml.WithIndent(2))
	if err != nil {
		return err
	}
	path := f.Path
	if linked, err := filepath.EvalSymlinks(path); err == nil {
		path = linked // a link stays one
	}
	if err := maybe.WriteFile(path, text, 0o600); err != nil {
		return unwritable(err)
	}
	return nil
}

// Add puts a profile into the file, or into one of that name the account of another system.
func (f *File) Add(p Profile, system string, a Account) error {
	old := f.Profiles[p.Name]
	switch {
	case system != action.SystemFusebill && system != action.SystemTrackfinity:
		return batch.Usage("--api fusebill, or --api trackfinity", "there is no API %q", system)
	case p.Sandbox && a != Account{}:
		return batch.Usage("--sandbox without them", "a sandbox has neither address nor key nor pace of its own")
	case old != nil && (p.Sandbox || old.Sandbox || old.Of(system) != nil):
		return batch.Usage("rowbatch profile remove "+p.Name+", or change what "+f.Path+" says",
			"there is a profile %s already: %s", p.Name, old.Host())
	case old != nil && (Profile{Name: p.Name}) != p:
		return batch.Usage("change what "+f.Path+" says",
			"the profile %s has its word, colour, reports folder and read_only already", p.Name)
	case old != nil:
		p = *old
	}
	whole := p
	switch {
	case p.Sandbox:
	case system == action.SystemTrackfinity:
		whole.Trackfinity = &a
	default:
		whole.Fusebill = &a
	}
	if system == action.SystemTrackfinity && !p.Sandbox && a.URL == "" {
		return batch.Usage("--url https://<domain>/api", "an install of Trackfinity has an address of its own")
	}
	if wrong := whole.problems(); len(wrong) > 0 {
		var lines []string
		for _, w := range wrong {
			lines = append(lines, w.text)
		}
		return batch.Usage("rowbatch profile add --help", "%s", strings.Join(lines, "\n"))
	}
	f.Profiles[p.Name] = &whole
	if old == nil {
		return f.Set(whole, "profiles", p.Name)
	}
	return f.Set(a, "profiles", p.Name, system)
}

// Shown is what is shown of a profile.
type Shown struct {
	Name     string         `json:"name"`
	InUse    bool           `json:"in_use"`
	Sandbox  bool           `json:"sandbox,omitempty"`
	Word     string         `json:"word"`
	Colour   string         `json:"colour,omitempty"`
	ReadOnly bool           `json:"read_only,omitempty"`
	Reports  string         `json:"reports,omitempty"`
	Host     string         `json:"host"`
	Accounts []ShownAccount `json:"accounts,omitempty"`
}

// ShownAccount is what is shown of its account of one system.
type ShownAccount struct {
	API      string   `json:"api"`
	URL      string   `json:"url"`
	Username string   `json:"username,omitempty"`
	KeyFrom  []string `json:"key_from"`
	Rate     string   `json:"rate,omitempty"`
	Reserve  string   `json:"reserve,omitempty"`
}

// Remarks are what is special about the profile.
func (s Shown) Remarks() (all []string) {
	for text, is := range map[string]bool{"in use": s.InUse, "read only": s.ReadOnly} {
		if is {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

// KeysFrom are where its keys are looked for.
func (s Shown) KeysFrom() (all []string) {
	for _, a := range s.Accounts {
		all = append(all, a.KeyFrom...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Show is what is shown of a profile. Of a key_command only its program is: its words may
// hold a secret.
func (f *File) Show(p *Profile) Shown {
	s := Shown{Name: p.Name, InUse: f.Use == p.Name, Sandbox: p.Sandbox, Word: p.Label(), Colour: p.Colour, ReadOnly: p.ReadOnly,
		Reports: p.Reports, Host: p.Host()}
	for _, system := range p.Systems() {
		a := p.Of(system)
		if a == nil {
			continue
		}
		shown := ShownAccount{API: system, URL: a.URL, Username: a.Username, KeyFrom: []string{}, Rate: a.Rate, Reserve: a.Reserve}
		if a.Keyring {
			shown.KeyFrom = append(shown.KeyFrom, "keyring")
		}
		if program := strings.Fields(a.KeyCommand); len(program) > 0 {
			shown.KeyFrom = append(shown.KeyFrom, "key_command "+filepath.Base(program[0])+" …")
		}
		if a.KeyFile != "" {
			shown.KeyFrom = append(shown.KeyFrom, a.KeyFile)
		}
		if len(shown.KeyFrom) == 0 {
			shown.KeyFrom = []string{"nowhere yet"}
		}
		s.Accounts = append(s.Accounts, shown)
	}
	return s
}
