package profile

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rowbatch/batch/job"
)

// Whatever a host does, it is asked once, and the doctor ends with the code of a run.
func TestDoctorAsksOnce(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		code  int
		says  string
	}{
		"answers":  {func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "[]") }, 0, "it has no customers"},
		"refuses":  {func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, "{}") }, 13, "401"},
		"is busy":  {func(w http.ResponseWriter, _ *http.Request) { reply(w, 429, "{}") }, 5, "status 429"},
		"is ill":   {func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, "{}") }, 5, "status 500"},
		"is a web": {func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "<html>login</html>") }, 13, "fusebill host"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 13, "it does not answer"},
		"is in another time": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			reply(w, 200, "[]")
		}, 0, "ahead of the server's"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.serve(w, r)
			}))
			defer server.Close()
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			a := home(t)
			a.environ = append(a.environ, "FUSEBILL_URL="+server.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
			d := &Doctor{Accounts: a, Settings: job.Defaults(), Set: func(string) bool { return false }}
			d.Settings.Output.Reports = t.TempDir()
			control := job.NewControl(t.Context())
			defer control.Halt(nil)
			d.Examine(control)
			found := slices.ContainsFunc(d.Findings, func(f Finding) bool { return strings.Contains(f.Name+": "+f.Text, c.says) })
			if asked.Load() != 1 || d.ExitCode != c.code || !found {
				t.Errorf("%d requests, exit code %d, want %d and %q:\n%+v", asked.Load(), d.ExitCode, c.code, c.says, d.Findings)
			}
		})
	}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "<") {
		w.Header().Set("Content-Type", "text/html")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// All accounts may be chosen from, the one that the command means first.
func TestChoices(t *testing.T) {
	a := home(t)
	add(t, Profile{Name: "main", Word: "PRODUCTION"}, Account{KeyCommand: "echo key"})
	add(t, Profile{Name: "other"}, Account{URL: "https://billing.example.com/v1", KeyCommand: "echo key"})
	a.environ = append(a.environ, "FUSEBILL_API_KEY=MDpzYW5kYm94")
	for flag, want := range map[string]string{"": "environment main other sandbox", "other": "other environment main sandbox", "sandbox": "sandbox environment main other"} {
		s := job.Defaults()
		if s.Sending.Sandbox = flag == "sandbox"; !s.Sending.Sandbox {
			s.Sending.Profile = flag
		}
		all, err := a.Choices(s)
		var names []string
		for _, c := range all {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%q: %s, want %s, %v", flag, got, want, err)
		}
	}
}
