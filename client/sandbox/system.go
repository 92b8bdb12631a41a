package sandbox

import (
	"html"
	"net/http"
	"strings"
)

// system is one of the two APIs: whom it lets in, and how it says no.
type system struct {
	metered   bool                 // draws on the limits, and carries their headers
	refuse    func(c *call) *reply // nil: the caller may come in
	failure   func(status int, texts ...string) *reply
	noRoute   func(c *call) *reply
	badMethod func(c *call) *reply // the path is one of its routes, the method not
}

func systemOf(path string) system {
	if strings.HasPrefix(strings.ToLower(path), "/api/") {
		return trackfinity()
	}
	return fusebill()
}

func fusebill() system {
	return system{
		metered:   true,
		refuse:    func(c *call) *reply { return checkKey(c.header.Get("Authorization")) },
		failure:   failure,
		noRoute:   noRoute,
		badMethod: noRoute,
	}
}

func trackfinity() system {
	return system{
		refuse:  checkAdmin,
		failure: func(status int, texts ...string) *reply { return words(status, strings.Join(texts, " ")) },
		noRoute: func(c *call) *reply {
			return htmlPage(http.StatusNotFound, "Not Found", html.EscapeString(c.path)+" is not here.")
		},
		badMethod: func(*call) *reply { return words(http.StatusMethodNotAllowed, "Method Not Allowed") },
	}
}

// checkAdmin wants both headers of docs.trackfinity.com/api/api-overview, with any
// key but "revoked". The reply to a wrong one is not documented; a page to sign in
// on, with status 200, is what a careless caller would take for a success.
func checkAdmin(c *call) *reply {
	key := c.header.Get("api-key")
	if key == "" || key == "revoked" || c.header.Get("api-username") == "" {
		return htmlPage(http.StatusOK, "Affiliates Admin", `<form action="/admin/login" method="post">Please sign in.</form>`)
	}
	return nil
}

// words is a reply of plain text.
func words(status int, text string) *reply {
	return (&reply{status: status, body: []byte(text)}).with("Content-Type", "text/plain; charset=utf-8")
}

func htmlPage(status int, title, body string) *reply {
	page := "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>" + body + "</body></html>\n"
	return (&reply{status: status, body: []byte(page)}).with("Content-Type", "text/html; charset=utf-8")
}
