package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowbatch/batch/job"
	"rowbatch/batch/web"
)

// Nobody gets in without the token, by another name, or from another site's page.
func TestWhoMayUseThePage(t *testing.T) {
	settings := job.Defaults()
	settings.Output.Reports = t.TempDir()
	page, err := web.New(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8700}, web.Options{Settings: settings,
		Accounts: []web.Account{{Name: "sandbox", Host: "the sandbox", Word: "SANDBOX", Sandbox: true}}})
	if err != nil {
		t.Fatal(err)
	}
	const here = "http://127.0.0.1:8700"
	first := ask(page, http.MethodGet, page.Address(), nil)
	if first.Code != http.StatusOK || len(first.Result().Cookies()) != 1 {
		t.Fatalf("%d with %v", first.Code, first.Result().Cookies())
	}
	cookie := first.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(first.Body.String(), cookie.Value) {
		t.Errorf("the cookie is %v", cookie)
	}
	with := func(headers ...string) map[string]string {
		all := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
		for i := 0; i < len(headers); i += 2 {
			all[headers[i]] = headers[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		method, url string
		headers     map[string]string
		want        int
	}{
		"with the cookie":           {http.MethodGet, here + "/runs", with(), http.StatusOK},
		"without":                   {http.MethodGet, here + "/runs", nil, http.StatusForbidden},
		"another cookie":            {http.MethodGet, here + "/runs", map[string]string{"Cookie": cookie.Name + "=" + strings.Repeat("A", 26)}, http.StatusForbidden},
		"another token":             {http.MethodGet, here + "/?token=A", nil, http.StatusForbidden},
		"a name that leads here":    {http.MethodGet, "http://evil.example.com:8700/runs", with(), http.StatusMisdirectedRequest},
		"the other name":            {http.MethodGet, "http://localhost:8700/runs", with(), http.StatusMisdirectedRequest},
		"a post of another site":    {http.MethodPost, here + "/drafts", with("Origin", "http://evil.example.com"), http.StatusForbidden},
		"a post of no site":         {http.MethodPost, here + "/drafts", with(), http.StatusForbidden},
		"a post of a hidden site":   {http.MethodPost, here + "/drafts", with("Origin", "null"), http.StatusForbidden},
		"a read that another began": {http.MethodPost, here + "/drafts", with("Origin", here, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"a post of its own":         {http.MethodPost, here + "/drafts", with("Origin", here, "Sec-Fetch-Site", "same-origin"), http.StatusUnprocessableEntity},
		"a read of another site":    {http.MethodGet, here + "/runs", with("Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"a read of another port":    {http.MethodGet, here + "/runs", with("Sec-Fetch-Site", "same-site"), http.StatusForbidden},
		"a read with its origin":    {http.MethodGet, here + "/runs", with("Origin", "http://127.0.0.1:9999"), http.StatusForbidden},
		"a bookmark":                {http.MethodGet, here + "/runs", with("Sec-Fetch-Site", "none"), http.StatusOK},
		"its address in a file":     {http.MethodGet, page.Address(), map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusOK},
		"a run by a get":            {http.MethodGet, here + "/runs/x/apply", with(), http.StatusMethodNotAllowed},
		"a file outside":            {http.MethodGet, here + "/runs/..%2f..%2fetc/files/passwd", with(), http.StatusNotFound},
		"a draft outside":           {http.MethodGet, here + "/drafts/..", with(), http.StatusTemporaryRedirect},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(page, c.method, c.url, c.headers)
			if got.Code != c.want {
				t.Errorf("%d, want %d: %s", got.Code, c.want, got.Body)
			}
			if p := got.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
				t.Errorf("policy %q", p)
			}
		})
	}
}

// An edit is of one file: of several that are dropped none is kept.
func TestSeveralFilesAreNoEdit(t *testing.T) {
	settings := job.Defaults()
	settings.Output.Reports = t.TempDir()
	page, err := web.New(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8700}, web.Options{Settings: settings,
		Accounts: []web.Account{{Name: "sandbox", Host: "the sandbox", Word: "SANDBOX", Sandbox: true}}})
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range []string{"one.csv", "two.csv"} {
		if part, err := form.CreateFormFile("file", name); err != nil {
			t.Fatal(err)
		} else if _, err := io.WriteString(part, "id,lastName\n987001,x\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8700/drafts", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", "http://127.0.0.1:8700")
	r.AddCookie(ask(page, http.MethodGet, page.Address(), nil).Result().Cookies()[0])
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	left, err := os.ReadDir(filepath.Join(settings.Output.Reports, ".drafts"))
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "several files were chosen") || err != nil || len(left) > 0 {
		t.Errorf("%d with %d drafts, %v: %.200s", w.Code, len(left), err, w.Body)
	}
}

func ask(page http.Handler, method, url string, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w
}
