package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// object is a JSON object that keeps the order of its keys and the bytes of its values.
type object []member

type member struct{ name, key, value string } // key as spelled, quotes included; value is raw JSON

func parseObject(raw []byte) (object, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not valid UTF-8")
	}
	var compact bytes.Buffer
	compact.Grow(len(raw))
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	root := gjson.Parse(compact.String())
	if !root.IsObject() {
		return nil, errors.New("not a JSON object")
	}
	const some = 56 // members: a customer has about fifty
	o, seen := make(object, 0, some), make(map[string]struct{}, some)
	doubled, twice := "", false
	root.ForEach(func(k, v gjson.Result) bool {
		if seen[k.Str] = struct{}{}; len(seen) == len(o) {
			doubled, twice = k.Str, true
		}
		o = append(o, member{k.Str, k.Raw, v.Raw})
		return !twice
	})
	if twice {
		return nil, fmt.Errorf("the key %q stands twice", doubled)
	}
	return o, nil
}

func (o object) index(name string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.name == name })
}

func (o object) has(name string) bool { return o.index(name) >= 0 }

// raw returns the value's JSON, "" when the key is absent.
func (o object) raw(name string) string {
	if i := o.index(name); i >= 0 {
		return o[i].value
	}
	return ""
}

// text returns the value as a person reads it: a string's content, a number's digits, "" for null.
func (o object) text(name string) string { return plain(o.raw(name)) }

// set returns a copy with the value replaced, or put at the end.
func (o object) set(name, value string) object {
	out := slices.Clone(o)
	if i := out.index(name); i >= 0 {
		out[i].value = value
		return out
	}
	return append(out, member{name, quote(name), value})
}

func (o object) bytes() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m.key)
		b.WriteByte(':')
		b.WriteString(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func plain(raw string) string {
	switch {
	case raw == "" || raw == "null":
		return ""
	case raw[0] == '"':
		return gjson.Parse(raw).Str
	}
	return raw
}

func isNull(raw string) bool { return raw == "" || raw == "null" }

// same reports whether two JSON texts have one value: strings whatever their escapes,
// numbers whatever their trailing zeros, objects and arrays member by member.
func same(a, b string) bool {
	if a == b {
		return true
	}
	// idle zeros aside; a number with an exponent stays as it is: multiplying it out could take for ever
	trimZeros := func(number string) string {
		if strings.ContainsAny(number, "eE") || !strings.Contains(number, ".") {
			return number
		}
		return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	x, y := gjson.Parse(a), gjson.Parse(b)
	if x.Type != y.Type || x.IsArray() != y.IsArray() {
		return false
	}
	switch {
	case x.Type == gjson.String:
		return x.Str == y.Str
	case x.Type == gjson.Number:
		return trimZeros(a) == trimZeros(b)
	case x.IsArray():
		return slices.EqualFunc(x.Array(), y.Array(), func(v, w gjson.Result) bool { return same(v.Raw, w.Raw) })
	case x.IsObject():
		p, errA := parseObject([]byte(a))
		q, errB := parseObject([]byte(b))
		return errA == nil && errB == nil && len(p) == len(q) &&
			!slices.ContainsFunc(p, func(m member) bool { return !q.has(m.name) || !same(m.value, q.raw(m.name)) })
	}
	return false
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
