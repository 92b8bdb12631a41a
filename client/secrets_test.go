package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// writings are the ways in which a server may repeat a secret.
func writings(secret string) map[string]string {
	plain, err := json.Marshal(secret)
	if err != nil {
		panic(err)
	}
	var bare bytes.Buffer
	e := json.NewEncoder(&bare)
	e.SetEscapeHTML(false)
	if err := e.Encode(secret); err != nil {
		panic(err)
	}
	var units, bytewise, decimal, hex strings.Builder
	for _, c := range secret {
		if c < 0x10000 {
			fmt.Fprintf(&units, `\u%04X`, c)
		} else {
			fmt.Fprintf(&units, `\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		}
		fmt.Fprintf(&decimal, "&#%d;", c)
		fmt.Fprintf(&hex, "&#x%X;", c)
	}
	for _, b := range []byte(secret) {
		fmt.Fprintf(&bytewise, "%%%02x", b)
	}
	inJSON := string(plain[1 : len(plain)-1])
	nested, err := json.Marshal(inJSON)
	if err != nil {
		panic(err)
	}
	return map[string]string{
		"raw": secret, "JSON": inJSON, "JSON in JSON": string(nested[1 : len(nested)-1]),
		"JSON without HTML": strings.TrimSuffix(bare.String()[1:], "\"\n"), "JSON with slashes": strings.ReplaceAll(inJSON, "/", `\/`),
		"JSON units": units.String(), "query": url.QueryEscape(secret), "query, lower": lowerHex(url.QueryEscape(secret)),
		"path": url.PathEscape(secret), "path, lower": lowerHex(url.PathEscape(secret)), "bytes": bytewise.String(),
		"HTML": html.EscapeString(secret), "HTML decimal": decimal.String(), "HTML hexadecimal": hex.String(),
		"HTML of PHP": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;").Replace(secret),
	}
}

func lowerHex(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

func bases(secret string) map[string]string {
	b := []byte(secret)
	return map[string]string{
		"raw": secret, "std": base64.StdEncoding.EncodeToString(b), "URL": base64.URLEncoding.EncodeToString(b),
		"raw std": base64.RawStdEncoding.EncodeToString(b), "raw URL": base64.RawURLEncoding.EncodeToString(b),
	}
}

func TestATextWithASecretIsLeftOut(t *testing.T) {
	for _, secret := range []string{
		"hunter2secret", `p"a'<s>&/\ +w%0`, "żółć 😀 ~>?~>?", "tab\tand\nline", "MDpub3QtYS1yZWFsLWtleQ==", "12345678", "a&b",
		`100%25 \u0041\\n &amp;lt;`, // its own characters read like escapes
	} {
		s := newSecrets("another one", secret)
		for base, text := range bases(secret) {
			for name, form := range writings(text) {
				if got := s.shown("x " + form + " y"); got != leftOut {
					t.Errorf("%q, %s, %s: %q is shown as %q", secret, base, name, form, got)
				}
			}
		}
	}
}

func TestTextsWithoutSecretsStay(t *testing.T) {
	s := newSecrets("hunter2", "p&ss", "")
	for _, text := range []string{"", "hunter", "hunter3", `a \ b % c & d + e`, `hunter\u0033`, "%", `\`, "&", "&amp;", "100%25", "p&s", "hunter&#5", "héllo 😀",
		`{"Message":"a \"name\" in C:\\new, 50% &amp;amp; more+more"}`} {
		if got := s.shown(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if got := secrets(nil).shown(text); got != text {
			t.Errorf("no secrets: %q became %q", text, got)
		}
	}
}

func TestShown(t *testing.T) {
	s := newSecrets("two words", "secret")
	for name, tt := range map[string]struct{ text, want string }{
		"over a line's end":           {"it is two\n  words.", leftOut},
		"behind what a message shows": {strings.Repeat("x", 10*longestText) + "secret", leftOut},
		"cut where a message may end": {strings.Repeat("x", longestText-2) + "secret", leftOut},
		"a long text":                 {strings.Repeat("é", 100_000), strings.Repeat("é", longestText) + "…"},
		"escapes without end":         {"%" + strings.Repeat("25", 1000), leftOut},
	} {
		if got := s.shown(tt.text); got != tt.want {
			t.Errorf("%s: %.80q, want %.80q", name, got, tt.want)
		}
	}
}

func TestHiddenErrors(t *testing.T) {
	s := newSecrets("hunter2")
	cause := &net.ParseError{Type: "header", Text: "hunter2"}
	err := s.hide(fmt.Errorf("reading: %w, %w", cause, context.DeadlineExceeded))
	var parse *net.ParseError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &parse) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
		t.Errorf("%#v", err)
	}
	if got := s.hide(io.EOF); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", io.EOF) || s.hide(nil) != nil {
		t.Error("an error without a secret was changed")
	}
}

// Whatever way a server repeats a key or a password, no error and no log line does.
func TestNoReplyRepeatsASecret(t *testing.T) {
	const password = `p"w<ö>&/ x+%`
	places := map[string]func(form string) *http.Response{
		"text": func(f string) *http.Response { return answering(404, "no: "+f) },
		"page": func(f string) *http.Response { return answering(200, "<html>"+f) },
		"400":  func(f string) *http.Response { return answering(400, `{"Message":"`+f+`"}`) },
		"Errors": func(f string) *http.Response {
			return answering(400, `{"Errors":[{"Key":"`+f+`","Value":"`+f+`"}]}`)
		},
		"401":        func(f string) *http.Response { return answering(401, f) },
		"429":        func(f string) *http.Response { return answering(429, f) },
		"500":        func(f string) *http.Response { return answering(500, f) },
		"not JSON":   func(f string) *http.Response { return answering(200, f+" {") },
		"wrong kind": func(f string) *http.Response { return answering(200, `["`+f+`"]`) },
		"wrong id":   func(f string) *http.Response { return answering(200, `{"id":"`+f+`"}`) },
		"twice":      func(f string) *http.Response { return answering(200, `{"id":12,"`+f+`":1,"`+f+`":2}`) },
		"Location": func(f string) *http.Response {
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://" + f + ".example.com/" + f}, "Content-Type": {f}}}
		},
		"network": nil,
	}
	calls := map[string]struct {
		secrets []string
		call    func(http.RoundTripper, *slog.Logger) Reply
	}{
		"read": {[]string{testKey.Reveal(), "0:not-a-real-key", "not-a-real-key"}, func(r http.RoundTripper, l *slog.Logger) Reply {
			return ofFusebill(t, r, l).Customer(t.Context(), nil, "12")
		}},
		"write": {[]string{testKey.Reveal(), "0:not-a-real-key", "not-a-real-key"}, func(r http.RoundTripper, l *slog.Logger) Reply {
			return ofFusebill(t, r, l).Hold(t.Context(), nil, "12")
		}},
		"ping": {[]string{"tf-key/with+signs", "ops.desk+7"}, func(r http.RoundTripper, l *slog.Logger) Reply {
			return ofTrackfinity(t, r, l).Ping(t.Context(), nil)
		}},
		"patch": {[]string{"tf-key/with+signs", "ops.desk+7", password}, func(r http.RoundTripper, l *slog.Logger) Reply {
			return ofTrackfinity(t, r, l).SetCustomerDetails(t.Context(), nil, url.Values{"customer_id": {"4102"}, "password": {password}})
		}},
	}
	for place, reply := range places {
		for name, c := range calls {
			for _, secret := range c.secrets {
				t.Run(place+"/"+name+"/"+secret, func(t *testing.T) {
					for _, form := range forms(secret) {
						var log bytes.Buffer
						logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
						rep := c.call(repeating(reply, form), logger)
						shown := fmt.Sprintf("%v %+v %#v %s", rep.Err, rep.Err, rep.Err, log.String())
						if strings.Contains(shown, form) {
							t.Fatalf("%q stands in %s", form, shown)
						}
						if place == "text" && !strings.Contains(shown, leftOut) {
							t.Fatalf("nothing is left out of %s", shown)
						}
					}
				})
			}
		}
	}
}

func answering(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// forms are the ways to write a secret and its Base64 kinds.
func forms(secret string) (all []string) {
	for _, text := range bases(secret) {
		all = slices.AppendSeq(all, maps.Values(writings(text)))
	}
	return all
}

// repeating is a server that answers with a form of a secret, or a network that ends with it.
func repeating(reply func(string) *http.Response, form string) http.RoundTripper {
	return roundTrip(func(*http.Request) (*http.Response, error) {
		if reply == nil {
			return nil, errors.New("malformed HTTP response " + form)
		}
		res := reply(form)
		if res.Body == nil {
			res.Body = http.NoBody
		}
		return res, nil
	})
}

func ofFusebill(t *testing.T, transport http.RoundTripper, log *slog.Logger) *Fusebill {
	t.Helper()
	fb, err := NewFusebill(Options{BaseURL: "https://api.example.com/v1", Key: testKey, Transport: transport, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

func ofTrackfinity(t *testing.T, transport http.RoundTripper, log *slog.Logger) *Trackfinity {
	t.Helper()
	tf, err := NewTrackfinity(Options{BaseURL: "https://tracking.example.com/api", Key: "tf-key/with+signs", Username: "ops.desk+7", Transport: transport, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return tf
}

// Wherever a secret stands in a text, and in whatever way it is written there, the text is left out.
func FuzzShown(f *testing.F) {
	f.Add(`no: p\u0022w &lt; %c3%b6`, `p"w < ö`)
	f.Add(`\\\\\\\\\\\\x`, `\\x.`)
	f.Add("&#;&;&#x;%%2", "+ &%")
	f.Fuzz(func(t *testing.T, text, secret string) {
		stray := func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' } // which HTML has no numbers for
		if secret == "" || !utf8.ValidString(secret) || strings.ContainsFunc(secret, stray) || len(text)+10*len(secret) > longestLook {
			return
		}
		s := newSecrets(secret)
		for name, form := range writings(secret) {
			if got := s.shown(text + " " + form + " " + text); got != leftOut {
				t.Errorf("%q, %s: %q is shown as %q", secret, name, text+" "+form, got)
			}
		}
	})
}

func BenchmarkShown(b *testing.B) {
	s := newSecrets(testKey.Reveal(), "0:not-a-real-key", "not-a-real-key", `p"w<ö>&/ x+%`)
	page := strings.Repeat(`<a href="/x?y=1&amp;z=%20">\n</a> `, 1<<16/30)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		s.shown(page)
	}
}
