package cli

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// services are the systems that a run speaks with. Each has a governor of its own.
type services struct {
	action.Services
	endpoints []endpoint
	governors []*governor.Governor
}

// find returns the endpoint of a system.
func (s *services) find(system string) (endpoint, bool) {
	i := slices.IndexFunc(s.endpoints, func(e endpoint) bool { return e.system == system })
	if i < 0 {
		return endpoint{}, false
	}
	return s.endpoints[i], true
}

// systems names them.
func (s *services) systems() (names []string) {
	for _, e := range s.endpoints {
		names = append(names, e.system)
	}
	return names
}

// loopback says that nothing leaves this machine.
func (s *services) loopback() bool {
	return !slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return !e.loopback() })
}

// patience is that for the farthest of the systems.
func (s *services) patience() client.Patience {
	for _, e := range s.endpoints {
		if !e.loopback() {
			return client.PatienceFor(e.url)
		}
	}
	return client.PatienceFor("http://localhost")
}

// account names what the run is bound to.
func (s *services) account() string {
	var names []string
	for _, e := range s.endpoints {
		if !slices.Contains(names, e.name) {
			names = append(names, e.name)
		}
	}
	return strings.Join(names, ", ")
}

func (s *services) hosts() string {
	var names []string
	for _, e := range s.endpoints {
		if !slices.Contains(names, e.host()) {
			names = append(names, e.host())
		}
	}
	return strings.Join(names, " and ")
}

// requests is how many have gone out to all of them.
func (s *services) requests() (n int) {
	if s.Fusebill.Client != nil {
		n += s.Fusebill.Client.Requests()
	}
	if s.Trackfinity.Client != nil {
		n += s.Trackfinity.Client.Requests()
	}
	return n
}

// waiting says until when all of the systems hold the run up, and why.
func (s *services) waiting() (until time.Time, reason governor.Reason, ok bool) {
	for _, g := range s.governors {
		at, why, waits := g.Waiting()
		if !waits {
			return time.Time{}, "", false
		}
		if !ok || at.Before(until) {
			until, reason, ok = at, why, true
		}
	}
	return until, reason, ok
}

// connect makes the clients of the systems. In a dry run the transports
// themselves refuse to write.
func (r *run) connect(systems []string) error {
	for _, system := range systems {
		e, err := r.open(system, r.flags.workersOf(system))
		if err != nil {
			return err
		}
		if e.name != sandboxName { // whose lock is taken before its state is opened
			err = r.lockAccount(e.name)
		}
		if err == nil {
			err = r.connectTo(e)
		}
		if err != nil {
			return err
		}
	}
	return r.mayAsk()
}

func (r *run) connectTo(e endpoint) error {
	f := r.flags
	limits := governor.Limits{Reserve: f.reserveShare, Rate: f.rates[e.system], WaitDay: f.wait, Outage: client.PatienceFor(e.url).Outage}
	if e.system == action.SystemTrackfinity && limits.Rate == 0 {
		limits.Rate = client.TrackfinityRate
	}
	g := governor.New(limits)
	var log *slog.Logger
	if f.verbose {
		log = slog.New(r.console.logHandler(f.logFormat))
	}
	agent := "rowbatch/" + Version
	var err, failed error
	if e.system == action.SystemTrackfinity {
		r.services.Trackfinity.Governor = g
		r.services.Trackfinity.Client, err = client.NewTrackfinity(client.Options{
			BaseURL: e.url, Key: e.key, Username: e.username, Timeout: f.timeout, Transport: e.transport,
			Governor: g, ReadOnly: f.dryRun, UserAgent: agent, Log: log,
		})
	} else {
		r.services.Fusebill.Governor = g
		r.services.Fusebill.Client, failed = client.NewFusebill(client.Options{
			BaseURL: e.url, Key: e.key, Timeout: f.timeout, Transport: e.transport,
			Governor: g, ReadOnly: f.dryRun, UserAgent: agent, Log: log,
		})
	}
	r.services.endpoints = append(r.services.endpoints, e)
	r.services.governors = append(r.services.governors, g)
	return errors.Join(err, failed)
}

// ping finds out that the address and the key of Trackfinity are right, before a
// row can fail for them: the API's 404 does not tell a wrong address from a wrong row.
func (r *run) ping() {
	_, connected := r.services.find(action.SystemTrackfinity)
	if !connected || r.flags.skipPing || r.work.countIn("patch") == 0 {
		return
	}
	rep := r.services.Trackfinity.Client.Patiently(r.stop, func() client.Reply { return r.services.Trackfinity.Client.Ping(r.stop, nil) })
	switch {
	case rep.Class == client.Answered, r.stopped():
	case client.EndsRun(rep.Err):
		r.halt(rep.Err)
	case rep.Status != 0:
		r.halt(&client.AccessError{Status: rep.Status, Text: "Trackfinity does not answer its ping: " + rep.Err.Error(),
			Try: "check TRACKFINITY_URL, or pass --skip-ping"})
	default:
		r.halt(rep.Err)
	}
}
