package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// reply is an answer before it is sent, so that a fault can still get at it.
type reply struct {
	status int
	header map[string]string
	body   []byte
	cut    bool // the connection breaks after the first sent bytes of the body
	sent   int
}

func answer(body []byte) *reply { return &reply{status: http.StatusOK, body: body} }

func (r *reply) with(name, value string) *reply {
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header[name] = value
	return r
}

// send writes the reply; a cut one ends in http.ErrAbortHandler, which net/http turns into a broken connection.
func (r *reply) send(w http.ResponseWriter) {
	if r.cut && r.sent == 0 {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range r.header {
		h.Set(name, value)
	}
	h.Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	if !r.cut {
		_, _ = w.Write(r.body) // a caller who left is no concern of ours
		return
	}
	_, _ = w.Write(r.body[:r.sent])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

type apiError struct {
	ErrorID        int `json:"ErrorId"`
	HTTPStatusCode int `json:"HttpStatusCode"`
	Errors         []apiDetail
}

type apiDetail struct{ Key, Value string }

// failure returns an error of the documented shape (developer.staxbill.com/reference/errors).
// Whether a body with several faults gets an entry for each is not documented; here it does.
func failure(status int, texts ...string) *reply {
	e := apiError{HTTPStatusCode: status}
	for _, t := range texts {
		e.Errors = append(e.Errors, apiDetail{"Api Error", t})
	}
	return &reply{status: status, body: encode(e)}
}

// noRoute is what clients have seen for unknown addresses, in place of the documented shape.
func noRoute(c *call) *reply {
	m := struct{ Message string }{"No HTTP resource was found that matches the request URI '" + c.path + "'."}
	return &reply{status: http.StatusNotFound, body: encode(m)}
}

// checkKey wants `Basic ` and the key as issued, which is Base64 of "0:secret"
// (developer.staxbill.com/reference/authentication). The secret "revoked" is
// refused as a regenerated key is, any other accepted.
func checkKey(authorization string) *reply {
	if authorization == "" {
		return failure(http.StatusUnauthorized, "Authorization has been denied for this request.")
	}
	key, ok := strings.CutPrefix(authorization, "Basic ")
	plain, err := base64.StdEncoding.DecodeString(key)
	secret, zero := strings.CutPrefix(string(plain), "0:")
	switch {
	case !ok || err != nil || !zero || secret == "":
		return failure(http.StatusBadRequest, "Authorization key is not in the correct format.")
	case secret == "revoked":
		return failure(http.StatusUnauthorized, "Authorization has been denied for this request.")
	}
	return nil
}

// encode writes JSON without the HTML escapes that would change a customer's bytes.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only types of this package come here
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

func quote(s string) string { return string(encode(s)) }
