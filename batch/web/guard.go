package web

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guard lets nobody in but the browser that was given the token, and no request that
// another site's page has made.
type guard struct {
	token  string
	host   string // address and port that the server listens on
	behind http.Handler
}

func newGuard(host string, behind http.Handler) *guard {
	return &guard{token: rand.Text(), host: host, behind: behind}
}

// cookie is named by the port: browsers keep one jar for all ports of a host.
func (g *guard) cookie() string {
	_, port, _ := strings.Cut(g.host, ":")
	if _, p, err := net.SplitHostPort(g.host); err == nil {
		port = p
	}
	return "rowbatch-" + port
}

// ServeHTTP checks a request, and lets it pass.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // the first address has the token; without any, a form would not tell where it is from
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // customers' data stay out of the browser's files
	if r.Host != g.host {
		http.Error(w, "this page is at http://"+g.host+" only", http.StatusMisdirectedRequest)
		return
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	entry := reads && r.URL.Path == "/" // which is opened from anywhere: it wants the token
	if !entry && g.isForeign(r, reads) {
		http.Error(w, "a request of another site's page is not carried out", http.StatusForbidden)
		return
	}
	same := func(text string) bool { return subtle.ConstantTimeCompare([]byte(text), []byte(g.token)) == 1 }
	if entry && same(r.URL.Query().Get("token")) {
		http.SetCookie(w, &http.Cookie{Name: g.cookie(), Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		// A page of its own, since a cookie of this kind does not travel with a redirect that another place has set off.
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Refresh", "0; url=/runs")
		const on = `<!doctype html><title>rowbatch</title><link rel="icon" href="/assets/icon.svg"><a href="/runs">Go on</a>`
		_, _ = w.Write([]byte(on)) // who is gone needs no page
		return
	}
	if c, err := r.Cookie(g.cookie()); err != nil || !same(c.Value) {
		http.Error(w, "open the address that rowbatch ui has printed: this page is only for whoever started it", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestFile+1<<20) // nothing without an end fills the disk
	g.behind.ServeHTTP(w, r)
}

// isForeign reports whether a page of another place has made a request, be it of another port
// of this machine. What would have an effect must say that it comes from here.
func (g *guard) isForeign(r *http.Request, reads bool) bool {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case origin != "http://"+g.host && (origin != "" || !reads):
		return true
	case site == "", site == "same-origin":
		return false
	}
	return site != "none" || !reads
}

// address is where a browser begins.
func (g *guard) address() string { return "http://" + g.host + "/?token=" + g.token }
