package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestPing(t *testing.T) {
	s := open(t, Options{Minute: 1})
	for range 3 { // no limit is documented
		g := send(s, admin(t, "GET", "/api/service/ping", ""))
		if g.status != 200 || g.body != `"pong"` {
			t.Fatalf("%d %s", g.status, g.body)
		}
		for name := range g.header {
			if strings.HasPrefix(name, "X-Rate") {
				t.Errorf("header %s", name)
			}
		}
	}
	if g := get(t, s, "/v1/customers/7"); g.status != 200 {
		t.Errorf("Trackfinity's calls have used Fusebill's limits: %d", g.status)
	}
	if g := get(t, s, "/v1/customers/7"); g.status != 429 {
		t.Errorf("no limit: %d", g.status)
	}
	if n := s.Requests(); n.Kinds["ping"] != 3 || n.Reads != 4 || n.Throttled != 1 {
		t.Errorf("counts %+v", n)
	}
}

func TestTrackfinityKeys(t *testing.T) {
	s := open(t, Options{})
	for name, c := range map[string]struct {
		key, user string
		let       bool
	}{
		"fine":        {"any", "admin", true},
		"no key":      {"", "admin", false},
		"revoked key": {"revoked", "admin", false},
		"no user":     {"any", "", false},
	} {
		r := admin(t, "PATCH", detailsPath, "customer_id=4102&city=Northam")
		r.Header.Set("api-key", c.key)
		r.Header.Set("api-username", c.user)
		g := send(s, r)
		page := strings.Contains(g.body, "<form") && strings.HasPrefix(g.header.Get("Content-Type"), "text/html")
		if g.status != 200 || page == c.let || c.let != (g.body == "true") {
			t.Errorf("%s: %d %s", name, g.status, g.body)
		}
	}
	if n := s.Requests(); n.Unauthorized != 3 || n.Writes != 1 || len(s.Effects()) != 1 {
		t.Errorf("counts %+v, %d effects", n, len(s.Effects()))
	}
	fusebillKey := admin(t, "GET", "/v1/customers/7", "")
	if g := send(s, fusebillKey); g.status != 401 {
		t.Errorf("a Trackfinity key opens Fusebill: %d", g.status)
	}
}

func TestCustomersOfTrackfinity(t *testing.T) {
	s := open(t, Options{})
	logins := map[string]bool{}
	for id := 4001; id <= 4200; id++ {
		number := integerText(id)
		body := affiliate(t, s, number)
		if gjson.Get(body, "customer_id").String() != number || gjson.Get(body, "subscription_id").Str != "S-"+number {
			t.Errorf("%d: %s", id, body)
		}
		if gjson.Get(body, "locked").Bool() != (id >= 4190) {
			t.Errorf("%d: %s", id, body)
		}
		for _, name := range affiliateFields() {
			if !gjson.Get(body, name).Exists() {
				t.Errorf("%d has no %s", id, name)
			}
		}
		logins[gjson.Get(body, "username").Str] = true
		if mark := gjson.Get(body, "password").Str; !strings.HasPrefix(mark, "sha256:") || len(mark) != len("sha256:")+16 {
			t.Errorf("%d: password %s", id, mark)
		}
	}
	if len(logins) != 200 {
		t.Errorf("%d login names", len(logins))
	}
	for _, id := range []string{"4000", "4201", "04102", "S-4102", ""} {
		if _, ok := s.Affiliate(id); ok {
			t.Errorf("a customer %q", id)
		}
	}
}

func integerText(n int) string { return string(encode(n)) }

func TestPatch(t *testing.T) {
	for name, c := range map[string]struct {
		form  string
		after []string // pairs, as for edit
	}{
		"by customer":         {"customer_id=4102&firstname=Zoe&zip=00501", []string{"firstname", `"Zoe"`, "zip", `"00501"`}},
		"by subscription":     {"subscription_id=S-4102&city=Nordhafen+%26+M%C3%BChle", []string{"city", `"Nordhafen & Mühle"`}},
		"cleared":             {"customer_id=4102&custom1=REMOVE&email=REMOVE", []string{"custom1", "null", "email", "null"}},
		"empty clears":        {"customer_id=4102&city=", []string{"city", "null"}},
		"REMOVE to the case":  {"customer_id=4102&city=remove", []string{"city", `"remove"`}},
		"a dash is a value":   {"customer_id=4102&custom5=-", []string{"custom5", `"-"`}},
		"password":            {"customer_id=4102&password=tr0ub4dor", []string{"password", `"sha256:48117c5010de19ec"`}},
		"no difference":       {"customer_id=4102&country=US", []string{"country", `"US"`}},
		"charset in its type": {"customer_id=4102&state=VT", []string{"state", `"VT"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			before := affiliate(t, s, "4102")
			r := admin(t, "PATCH", detailsPath, c.form)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			if g := send(s, r); g.status != 200 || g.body != "true" {
				t.Fatalf("%d %s", g.status, g.body)
			}
			after := affiliate(t, s, "4102")
			if want := edit(t, before, c.after...); after != want {
				t.Errorf("%s\nwant %s", after, want)
			}
			e := s.Effects()
			if len(e) != 1 || e[0].Kind != "patch" || e[0].ID != "tf:4102" || string(e[0].Before) != before || string(e[0].After) != after {
				t.Errorf("effects %s", encode(e))
			}
			if n := s.Requests(); n.Kinds["patch"] != 1 || n.Writes != 1 {
				t.Errorf("counts %+v", n)
			}
		})
	}
}

func TestPatchRefuses(t *testing.T) {
	s := open(t, Options{})
	for _, c := range []struct {
		name, form string
		status     int
		body       string
	}{
		{"both keys", "customer_id=4102&subscription_id=S-4102&city=X", 400, "Invalid or unsupported"},
		{"no key", "city=X", 404, "Invalid parameter"},
		{"nothing", "", 404, "Invalid parameter"},
		{"no field", "customer_id=4102", 404, "Invalid parameter"},
		{"unknown field", "customer_id=4102&phone=555", 404, "Invalid parameter: phone"},
		{"lock by the back door", "customer_id=4102&locked=true", 404, "Invalid parameter: locked"},
		{"field in other letter case", "customer_id=4102&City=X", 404, "Invalid parameter: City"},
		{"unknown customer", "customer_id=4201&city=X", 404, "Invalid parameter: customer_id"},
		{"customer with a zero before", "customer_id=04102&city=X", 404, "Invalid parameter: customer_id"},
		{"empty customer", "customer_id=&city=X", 404, "Invalid parameter: customer_id"},
		{"unknown subscription", "subscription_id=S-1&city=X", 404, "Invalid parameter: subscription_id"},
		{"a customer's number as subscription", "subscription_id=4102&city=X", 404, "Invalid parameter: subscription_id"},
		{"no empty password", "customer_id=4102&password=REMOVE", 400, "Invalid or unsupported"},
		{"a field twice", "customer_id=4102&city=X&city=Y", 400, "Invalid or unsupported"},
		{"bad escape", "customer_id=4102&city=%zz", 400, "Invalid or unsupported"},
		{"not UTF-8", "customer_id=4102&city=%ff", 400, "Invalid or unsupported"},
		{"longer than any customer", "customer_id=4102&city=" + strings.Repeat("x", maxBody), 404, "Invalid parameter"},
		{"locked", "customer_id=4190&city=X", 200, "false"},
		{"locked, by subscription", "subscription_id=S-4200&city=X", 200, "false"},
	} {
		if g := patch(t, s, c.form); g.status != c.status || !strings.HasPrefix(g.body, c.body) {
			t.Errorf("%s: %d %s", c.name, g.status, g.body)
		}
	}
	if e := s.Effects(); len(e) != 0 {
		t.Errorf("effects %s", encode(e))
	}
}

func TestTrackfinityRoutes(t *testing.T) {
	s := open(t, Options{})
	for _, c := range []struct {
		method, path string
		status       int
		media        string
	}{
		{"GET", detailsPath, 405, "text/plain"},
		{"PUT", detailsPath, 405, "text/plain"},
		{"POST", "/api/service/ping", 405, "text/plain"},
		{"PATCH", "/api/customer/lock", 404, "text/html"},
		{"GET", "/api/", 404, "text/html"},
	} {
		g := send(s, admin(t, c.method, c.path, ""))
		if g.status != c.status || !strings.HasPrefix(g.header.Get("Content-Type"), c.media) {
			t.Errorf("%s %s: %d %s", c.method, c.path, g.status, g.body)
		}
	}
	for _, media := range []string{"", "application/json", "multipart/form-data"} {
		r := admin(t, "PATCH", detailsPath, "customer_id=4102&city=X")
		r.Header.Set("Content-Type", media)
		if g := send(s, r); g.status != http.StatusBadRequest {
			t.Errorf("%q: %d", media, g.status)
		}
	}
}

// brokenOff is a body whose connection ends after its first half.
type brokenOff struct{ io.Reader }

func (b brokenOff) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestHalfAFormIsNoForm(t *testing.T) {
	s := open(t, Options{})
	r := admin(t, "PATCH", detailsPath, "")
	r.Body = io.NopCloser(brokenOff{strings.NewReader("customer_id=4102&city=Nord")})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code == http.StatusOK || len(s.Effects()) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPasswordsAreNowhereReadable(t *testing.T) {
	const secret = "tr0ub4dor"
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	replies := patch(t, s, "customer_id=4102&password="+secret).body
	replies += patch(t, s, "customer_id=4102&phone=1&password="+secret).body
	replies += patch(t, s, "customer_id=4190&password="+secret).body
	mark := gjson.Get(affiliate(t, s, "4102"), "password").Str
	_ = s.Close()
	_ = open(t, Options{Dir: dir, foldAbove: 1}).Close() // into the snapshot
	s = open(t, Options{Dir: dir})
	patch(t, s, "customer_id=4103&password="+secret)
	if strings.Contains(replies, secret) || gjson.Get(affiliate(t, s, "4102"), "password").Str != mark {
		t.Errorf("replies %s, password %s", replies, mark)
	}
	for _, name := range []string{snapshotName, ledgerName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), mark) || strings.Contains(string(b), secret) {
			t.Errorf("%s: %v %s", name, err, b)
		}
	}
}
