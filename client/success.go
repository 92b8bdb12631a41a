package client

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"
)

// success examines a 2xx reply: what cannot be read may still be a write that took effect.
func (x exchange) success() (Class, error) {
	switch {
	case x.want == echo:
		return Answered, nil
	case len(bytes.TrimSpace(x.body)) == 0:
		return x.unreadable("the answer is empty")
	case !gjson.ValidBytes(x.body):
		return x.unreadable("the answer is cut short or not JSON: " + x.words())
	case x.want == assent:
		return x.assented()
	}
	return x.document()
}

func (x exchange) unreadable(text string) (Class, error) {
	return Lost, &LostError{Status: x.status, Text: fmt.Sprintf("%s (HTTP %d)", text, x.status)}
}

// assented asks for the word true, of which alone the vendor says that it means success.
func (x exchange) assented() (Class, error) {
	if x.status == http.StatusOK && string(bytes.TrimSpace(x.body)) == "true" {
		return Answered, nil
	}
	return Refused, &NotTrueError{x.status, x.shown(string(x.body))}
}

// document asks for an object or a list, and for the right customer in it.
func (x exchange) document() (Class, error) {
	root := gjson.ParseBytes(x.body)
	if x.want == list && !root.IsArray() || x.want != list && !root.IsObject() {
		return x.unreadable("the answer is not of the kind asked for: " + x.words())
	}
	if got := root.Get("id"); x.id != "" && identifier(got) != x.id && (!x.idOptional || identifier(got) != "") {
		return x.unreadable(fmt.Sprintf("customer %s was asked for, and another answer came: id %s", x.id, x.shown(got.Raw)))
	}
	if x.want != record {
		return Answered, nil
	}
	// Which of two equal keys an edit would reach cannot be told.
	if key, twice := repeatedKey(root); twice {
		return x.unsafe(fmt.Sprintf("the customer's record holds %q twice", x.shown(key)))
	}
	if deep(x.body) {
		return x.unsafe("the customer's record is nested too deeply")
	}
	return Answered, nil
}

// unsafe is a record that cannot be edited safely. A write that is answered
// with one was accepted all the same.
func (x exchange) unsafe(why string) (Class, error) {
	err := &RecordError{why + ", and cannot be edited safely", "edit this customer by hand"}
	if x.method == http.MethodGet {
		return Refused, err
	}
	return Lost, &LostError{x.status, err.Text, err}
}

// deepest is how far a record may be nested: real ones have three levels, and
// JSON packages give up somewhere in the thousands.
const deepest = 100

// deep says that valid JSON is nested further than that.
func deep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > deepest {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

// identifier returns an id's digits, whether it came as a number or as text, and "" for none.
func identifier(id gjson.Result) string {
	switch id.Type {
	case gjson.Number:
		return id.Raw
	case gjson.String:
		return id.Str
	}
	return ""
}

func repeatedKey(root gjson.Result) (key string, found bool) {
	seen := make(map[string]bool, 64) // a customer has some fifty
	root.ForEach(func(k, _ gjson.Result) bool {
		key = k.String()
		found = seen[key]
		seen[key] = true
		return !found
	})
	return key, found
}
