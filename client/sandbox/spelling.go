package sandbox

import (
	"html"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/text/unicode/norm"
)

// Servers differ in how they spell a value: a real one may store it otherwise than it
// was sent, and show it otherwise in one resource than in another.

// storedForms are what a server may make of a text that it is sent, by the field's name.
func storedForms() map[string]func(name, text string) string {
	const longest = 12
	ends := func(what string, form func(string) string) func(name, text string) string {
		return func(name, text string) string {
			if strings.HasSuffix(name, what) {
				return form(text)
			}
			return text
		}
	}
	all := func(form func(string) string) func(_, text string) string {
		return func(_, text string) string { return form(text) }
	}
	return map[string]func(name, text string) string{
		"trim":   all(strings.TrimSpace),
		"lower":  ends("Email", strings.ToLower),
		"phone":  ends("Phone", phoneForm),
		"nfc":    all(norm.NFC.String),
		"escape": all(html.EscapeString),
		"cut": ends("Name", func(text string) string {
			letters := []rune(text)
			return strings.TrimSpace(string(letters[:min(len(letters), longest)]))
		}),
	}
}

// phoneForm is a number of ten digits as people of North America write it.
func phoneForm(text string) string {
	digits := regexp.MustCompile(`\D`).ReplaceAllString(text, "")
	if len(digits) != 10 {
		return text
	}
	return "(" + digits[:3] + ") " + digits[3:6] + "-" + digits[6:]
}

// inForm is the body of a PUT with those texts that it would change as a server stores them.
func inForm(forms []string, stored, body object) object {
	for _, form := range forms {
		for _, m := range body {
			v := gjson.Parse(m.value)
			if v.Type == gjson.String && !same(m.value, stored.raw(m.name)) {
				body = body.set(m.name, quote(storedForms()[form](m.name, v.Str)))
			}
		}
	}
	return body
}

// respell shows a customer in another spelling than the record has.
func respell(o object) object {
	for i, m := range o {
		switch v := gjson.Parse(m.value); {
		case m.name == "status":
			o[i].value = strings.ToUpper(m.value)
		case strings.HasSuffix(m.name, "Phone") && v.Type != gjson.Null:
			o[i].value = quote(phoneForm(v.String()))
		case v.Type == gjson.Number && m.name != "id":
			o[i].value = quote(m.value)
		}
	}
	return o
}
