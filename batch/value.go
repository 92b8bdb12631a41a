package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/tidwall/gjson"
)

// Value is the value of one field as raw JSON, spelled as the API spelled it:
// a float64 would turn 25.9800 into 25.98 and lose digits of long ids.
type Value string

const (
	// Absent marks a key that the record does not have.
	Absent Value = ""
	// Hidden marks a value that cannot be read (before) or must not be kept (after).
	Hidden Value = "?"
	// Null clears a field.
	Null Value = "null"
)

// Text returns s as a JSON string.
func Text(s string) Value {
	return Value(bytes.TrimSuffix(JSON(s, ""), []byte("\n")))
}

// JSON returns a value that always encodes, indented, with a newline behind. What is
// special in HTML stands as it is.
func JSON(v any, indent string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Plain returns the value as a person reads it: a string's content, a number's
// digits, and nothing for null and absent.
func (v Value) Plain() string {
	switch v {
	case Absent, Null:
		return ""
	case Hidden:
		return "***"
	}
	if v[0] == '"' {
		return gjson.Parse(string(v)).Str
	}
	return string(v)
}

// Short is Plain with less to read and the same meaning: a number without the zeros
// beyond its cents, a day without the midnight at which it begins.
func (v Value) Short() string {
	text := v.Plain()
	if v != "" && v[0] == '"' {
		day, rest, found := strings.Cut(text, "T00:00:00")
		if _, err := time.Parse(time.DateOnly, day); found && err == nil && strings.Trim(rest, ".0Z") == "" {
			return day
		}
		return text
	}
	whole, cents, _ := strings.Cut(text, ".")
	if len(cents) <= 2 || strings.Trim(cents, "0123456789") != "" {
		return text
	}
	return whole + "." + cents[:2] + strings.TrimRight(cents[2:], "0")
}

// quoted is the value as a message shows it.
func (v Value) quoted() string {
	if v.Empty() {
		return "empty"
	}
	return fmt.Sprintf("%q", v.Plain())
}

// Empty reports whether the value is absent, null or "". Whether the API tells the
// three apart is not documented, so no write is made to turn one into another.
func (v Value) Empty() bool { return v == Absent || v == Null || v == `""` }

// Same reports whether a write of w over v would change nothing: equal text, both
// empty, or a number and its digits as text (phones and references come as either).
func (v Value) Same(w Value) bool {
	if v == Hidden || w == Hidden {
		return false
	}
	if v == w || v.Empty() && w.Empty() {
		return true
	}
	plain := func(v Value) bool { return v != "" && (v[0] == '"' || v[0] == '-' || v[0] >= '0' && v[0] <= '9') }
	return plain(v) && plain(w) && v.Plain() == w.Plain()
}

// Visible makes a text from elsewhere safe to print: control and bidirectional
// characters show as \u escapes, since they could make a terminal or a spreadsheet show
// something that is not there. JSON means the same before and after: they stand only
// inside its strings.
func Visible(text string) string { return visible(text, "") }

// VisibleLines is Visible for a text of several lines: their ends, and tabs, stay.
func VisibleLines(text string) string { return visible(text, "\n\t") }

func visible(text, but string) string {
	deceptive := func(r rune) bool {
		deceives := unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
		return deceives && !strings.ContainsRune(but, r)
	}
	if strings.IndexFunc(text, deceptive) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if deceptive(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
