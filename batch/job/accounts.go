package job

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// StandIn is the name of the embedded stand-in's account.
const StandIn = "sandbox"

// Endpoint is where the requests of one system go.
type Endpoint struct {
	System    string
	URL       string
	Key       client.Secret
	Username  client.Secret // of Trackfinity only
	Name      string        // base URL and key fingerprint, or [StandIn]: what a run is bound to
	Transport http.RoundTripper
	Close     func() error // at the end of the run; nil: there is nothing to let go of
	Terms
}

// Terms are what has been laid down for an account, beside its address and key.
type Terms struct {
	Word     string     // that stands wherever the account is named, such as PRODUCTION; "": none
	Colour   string     // of the word
	ReadOnly string     // the profile that allows no write; "": writes are allowed
	Rate     rate.Limit // unless --rate says otherwise; 0: none
	Reserve  *Share     // unless --reserve says otherwise; nil: the usual one
}

// Opener finds the endpoint of a system by the settings. connections are kept alive.
// lock keeps other live runs away from an account; of the stand-in it must be called
// before its state is opened.
type Opener func(system string, s Settings, connections int, lock func(account string) error) (Endpoint, error)

// Accounts are the systems that a run speaks with. What actions use of each is in
// Services; what is the same of all is done over the list of them.
type Accounts struct {
	action.Services
	all      []account
	settings Settings // that they were opened with
	actions  intake.Actions
}

// account is the way to one system.
type account struct {
	Endpoint
	client   *client.Account
	governor *governor.Governor
}

// connect makes the client of a system, with the options that are given. In a dry run
// its transport itself refuses to write.
func (a *Accounts) connect(e Endpoint, o client.Options) error {
	p := a.settings.Pace
	to := account{Endpoint: e, governor: governor.New(governor.Limits{
		Reserve: p.Reserve.of(e.Terms), Rate: a.rateOf(e), WaitDay: p.Wait,
		Outage: client.PatienceFor(e.URL).Outage,
	})}
	o.BaseURL, o.Key, o.Username, o.Timeout, o.Transport = e.URL, e.Key, e.Username, p.Timeout, e.Transport
	o.Governor, o.ReadOnly, o.Contact = to.governor, a.settings.Sending.DryRun, client.ContactTime
	var err error
	switch e.System {
	case action.SystemTrackfinity:
		a.Trackfinity.Governor = to.governor
		if a.Trackfinity.Client, err = client.NewTrackfinity(o); err == nil {
			to.client = a.Trackfinity.Client.Account
		}
	case action.SystemFusebill:
		a.Fusebill.Governor = to.governor
		if a.Fusebill.Client, err = client.NewFusebill(o); err == nil {
			to.client = a.Fusebill.Client.Account
		}
	}
	a.all = append(a.all, to)
	return err
}

// rateOf is the most requests a second that an endpoint gets; 0: as its account allows.
// What a profile lays down is the account's: shards divide it among themselves.
func (a *Accounts) rateOf(e Endpoint) rate.Limit {
	if a.settings.Pace.Rate.of(e.System, a.actions) == 0 && e.Rate > 0 {
		return e.Rate / rate.Limit(max(1, a.settings.Selection.Shard.Of))
	}
	return a.settings.rateOf(e.System, a.actions)
}

// Systems are their names.
func (a *Accounts) Systems() []string {
	return a.distinct(func(c account) string { return c.System })
}

// Name is what the run is bound to.
func (a *Accounts) Name() string {
	return strings.Join(a.distinct(func(c account) string { return c.Name }), ", ")
}

// Hosts names the servers for people.
func (a *Accounts) Hosts() string {
	return strings.Join(a.distinct(func(c account) string {
		u, err := url.Parse(c.URL)
		switch {
		case c.Name == StandIn:
			return "the sandbox"
		case err != nil:
			return c.URL
		}
		return u.Host
	}), " and ")
}

// Target is where a run's requests go.
func (a *Accounts) Target() journal.Target {
	return journal.Target{Account: a.Name(), Systems: a.Systems(), Label: a.label()}
}

// label is what the accounts are called. All are of one profile, or of none.
func (a *Accounts) label() journal.Label {
	if len(a.all) == 0 {
		return journal.Label{}
	}
	return journal.Label{Word: a.all[0].Word, Colour: a.all[0].Colour}
}

// keyEnds are the last characters of the keys, by which people tell one from another.
func (a *Accounts) keyEnds() string {
	ends := a.distinct(func(c account) string {
		key := c.Key.Reveal()
		if c.Name == StandIn || len(key) < 12 {
			return ""
		}
		return key[len(key)-4:]
	})
	return strings.Join(slices.DeleteFunc(ends, func(s string) bool { return s == "" }), " and ")
}

func (a *Accounts) distinct(of func(account) string) (all []string) {
	for _, c := range a.all {
		if text := of(c); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// trial reports whether edits harm nobody, since only stand-ins are spoken with: the
// embedded one, or servers on this machine that say so in every reply. Before a
// server's first reply that is not known.
func (a *Accounts) trial() trial {
	is := isTrial
	for _, c := range a.all {
		switch {
		case c.Name == StandIn:
		case !client.Loopback(c.URL):
			return isReal
		case !c.client.Replied():
			is = maybeTrial
		case !c.client.IsSandbox():
			return isReal
		}
	}
	return is
}

type trial int

const (
	isReal trial = iota
	isTrial
	maybeTrial
)

// farthest is the address of a system that is not on this machine, if there is one.
func (a *Accounts) farthest() string {
	for _, c := range a.all {
		if !client.Loopback(c.URL) {
			return c.URL
		}
	}
	return "http://localhost"
}

// Requests is how many requests have left.
func (a *Accounts) Requests() (n int) {
	for _, c := range a.all {
		n += c.client.Requests()
	}
	return n
}

// writes is how many of them were no reads.
func (a *Accounts) writes() (n int) {
	for _, c := range a.all {
		n += c.client.Writes()
	}
	return n
}

// waiting is what holds all of the systems up.
func (a *Accounts) waiting() (w Waiting) {
	for _, c := range a.all {
		until, why, waits := c.governor.Waiting()
		if !waits {
			return Waiting{}
		}
		if w.Until.IsZero() || until.Before(w.Until) {
			w = Waiting{until, why}
		}
	}
	return w
}

// allowance is what is left of the first system's.
func (a *Accounts) allowance() governor.Allowance {
	if len(a.all) == 0 {
		return governor.Allowance{}
	}
	return a.all[0].governor.Allowance()
}

// Waited is for how many seconds limits and outages held the run up, for each reason.
func (a *Accounts) Waited() map[string]float64 {
	waited := map[string]float64{}
	for _, c := range a.all {
		for why, d := range c.governor.Waited() {
			if seconds := inSeconds(d); seconds > 0 {
				waited[string(why)] = rounded(waited[string(why)] + seconds)
			}
		}
	}
	return waited
}

// spellings are what the account was seen to store in earlier runs, but for the run of
// dir. They are read when a value is first found to differ from what is wanted.
func (a *Accounts) spellings(dir *runs.Dir) action.Spellings {
	at := slices.IndexFunc(a.all, func(c account) bool { return c.System == action.SystemFusebill })
	if at < 0 {
		return nil
	}
	known := sync.OnceValue(func() *runs.Spellings {
		return runs.ReadSpellings(runs.Disk(), filepath.Dir(dir.Path()), a.all[at].Name, dir.ID())
	})
	return func(id, field string, sent, stored batch.Value) bool { return known().Has(id, field, sent, stored) }
}

// ping finds out that the address and the key of Trackfinity are right, before a
// row can fail for them: the API's 404 does not tell a wrong address from a wrong row.
func (a *Accounts) ping(stop context.Context) error {
	c := a.Trackfinity.Client
	rep := c.Patiently(stop, func() client.Reply { return c.Ping(stop, nil) })
	err := rep.Err
	if rep.Status != 0 && err != nil && !client.EndsRun(err) {
		err = &client.AccessError{Status: rep.Status, Text: "Trackfinity does not answer its ping: " + err.Error(),
			Try: "check TRACKFINITY_URL, or pass --skip-ping"}
	}
	if rep.Class == client.Answered || stop.Err() != nil {
		err = nil // the stop has a cause of its own
	}
	return err
}

// customer reads one customer, patiently; the zero record where there is none.
func (a *Accounts) customer(stop context.Context, id string) (batch.Record, error) {
	c := a.Fusebill.Client
	rep := c.Patiently(stop, func() client.Reply { return c.Customer(stop, nil, id) })
	switch rep.Class {
	case client.Answered:
		return action.Record(rep.Body), nil
	case client.Refused:
		return batch.Record{}, nil
	}
	return batch.Record{}, rep.Err
}

// witnesses is how many customers must be found as they were before another key is
// taken for one of the same account.
const witnesses = 3

// mustBe makes sure that the accounts are those of an earlier run: the same
// addresses, and the same keys or ones under which customers of that run are found
// with the same id, time of creation and currency. Only the last makes requests: before it,
// a run is refused to which nobody could agree.
func (a *Accounts) mustBe(r *Session, h journal.Head, past *journal.Index) error {
	then, otherKeys := intake.AccountsOf(h.Account), []string(nil)
	for _, name := range intake.AccountsOf(a.Name()) {
		if slices.Contains(then, name) {
			continue
		}
		base := intake.AddressesOf(name)
		if kept, err := SettingsOf(h); err != nil {
			return err
		} else if was, now := kept.Sending.Profile, a.settings.Sending.Profile; was != "" && was != now {
			return batch.Unfit("leave --profile out", "%s went to the profile %s, %s, and --profile names %s, %s; nothing was sent",
				h.ID, was, intake.AddressesOf(h.Account), now, base)
		}
		if !slices.ContainsFunc(then, func(n string) bool { return strings.HasPrefix(n, base+"#") }) {
			return batch.Unfit("set the URL that the run used", "%s was about %s, and the settings are for %s; nothing was sent", h.ID,
				intake.AddressesOf(h.Account), base)
		}
		otherKeys = append(otherKeys, base)
	}
	if a.trial() == isReal {
		if err := r.mayAsk(a); err != nil {
			return err
		}
	}
	for _, base := range otherKeys {
		if err := a.knowsAgain(r.Stop, h, past, base); err != nil {
			return err
		}
	}
	return nil
}

func (a *Accounts) knowsAgain(stop context.Context, h journal.Head, past *journal.Index, base string) error {
	known, err := past.Witnesses(witnesses)
	if err != nil {
		return err
	}
	if len(known) == 0 || a.Fusebill.Client == nil {
		return batch.Unfit("use the key of that run, or run the file anew",
			"the key for %s is another than that of %s, and nothing tells whether it is the same account; nothing was sent", base, h.ID)
	}
	for _, was := range known {
		is, err := a.customer(stop, was.ID)
		if err != nil {
			return err
		}
		if is.ID != was.ID || !batch.SameTime(is.Created, was.Created) || !strings.EqualFold(is.Currency, was.Currency) {
			return batch.Unfit("use a key of the account of that run",
				"the key for %s belongs to another account than that of %s: customer %s is not the same; nothing was sent",
				base, h.ID, was.ID)
		}
	}
	return nil
}
