package invariants

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Leaks returns the breaches in all files below a folder: where one of the secrets
// stands, as it is or in some encoding.
func Leaks(root string, secrets []string) ([]string, error) {
	var all []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, LeaksIn(path, text, secrets)...)
		return err
	})
	return all, err
}

// LeaksIn is Leaks for one text, such as what a command printed.
func LeaksIn(name string, text []byte, secrets []string) []string {
	var b breaches
	for n, secret := range secrets {
		for _, form := range spellings(secret) {
			if at := bytes.Index(text, []byte(form)); at >= 0 {
				b.add(15, "%s holds secret %d as %q at byte %d", name, n+1, form, at)
				break
			}
		}
	}
	return b.all
}

// spellings are the forms in which a text may come to stand in a file.
func spellings(secret string) []string {
	percent := url.QueryEscape(secret)
	forms := []string{secret, percent, lowerEscapes(percent), url.PathEscape(secret), lowerEscapes(url.PathEscape(secret)),
		strings.ReplaceAll(percent, "+", "%20"), quoted(secret, true), quoted(secret, false), html.EscapeString(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for shift := range 3 {
		forms = append(forms, inBase64(secret, base64.StdEncoding, shift), inBase64(secret, base64.URLEncoding, shift))
	}
	slices.Sort(forms)
	return slices.DeleteFunc(slices.Compact(forms), func(form string) bool { return form == "" })
}

// inBase64 is what the secret looks like, so many bytes behind the beginning of a
// longer text, as far as it does not depend on its neighbours. One too short to
// tell is left out.
func inBase64(secret string, e *base64.Encoding, shift int) string {
	text := e.EncodeToString(append(make([]byte, shift), secret...))
	from, to := (shift*8+5)/6, (shift+len(secret))*8/6
	if to-from < 6 {
		return ""
	}
	return text[from:to]
}

// quoted is the inside of the JSON string.
func quoted(s string, escapeHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escapeHTML)
	if e.Encode(s) != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}

// lowerEscapes writes the digits of percent escapes small.
func lowerEscapes(s string) string {
	return regexp.MustCompile("%..").ReplaceAllStringFunc(s, strings.ToLower)
}
