package client

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

const (
	deepestEscape = 8  // backslashes before a character: JSON within JSON within JSON
	longestEntity = 40 // bytes of an HTML entity
)

// spelled is how many bytes at the start of text are the secret, each of its
// characters written plainly or escaped as JSON, URLs and HTML do; 0: none.
func spelled(text, secret string) int {
	switch {
	case strings.HasPrefix(text, secret):
		return len(secret)
	case text[0] != secret[0] && !strings.ContainsRune(`\%&+`, rune(text[0])):
		return 0
	}
	ends := []int{0}
	for _, c := range secret {
		var next []int
		for _, end := range ends {
			for _, size := range spellings(text[end:], c) {
				next = append(next, end+size)
			}
		}
		if len(next) == 0 {
			return 0
		}
		slices.Sort(next)
		ends = slices.Compact(next)
	}
	return slices.Max(ends)
}

// spellings are the sizes of all that may stand for c at the start of text.
func spellings(text string, c rune) (sizes []int) {
	if text == "" {
		return nil
	}
	if plain := string(c); strings.HasPrefix(text, plain) {
		sizes = append(sizes, len(plain))
	}
	switch text[0] {
	case '\\':
		return append(sizes, backslashed(text, c)...)
	case '%':
		return append(sizes, percented(text, c)...)
	case '&':
		return append(sizes, entity(text, c)...)
	case '+':
		if c == ' ' {
			return append(sizes, 1)
		}
	}
	return sizes
}

// backslashed finds c after one backslash or several: \/, \n, \u00e9, \\\".
func backslashed(text string, c rune) (sizes []int) {
	for depth := 1; depth <= deepestEscape && strings.HasPrefix(text, strings.Repeat(`\`, depth)); depth++ {
		for _, name := range escapes(c, depth) {
			if startsWith(text[depth:], name) {
				sizes = append(sizes, depth+len(name))
			}
		}
	}
	return sizes
}

// escapes are the ways to write c after so many backslashes.
func escapes(c rune, depth int) []string {
	var units []string
	for _, unit := range utf16.Encode([]rune{c}) {
		units = append(units, fmt.Sprintf("u%04x", unit))
	}
	names := []string{strings.Join(units, strings.Repeat(`\`, depth))}
	switch i := strings.IndexRune("\b\f\n\r\t", c); {
	case i >= 0:
		return append(names, "bfnrt"[i:i+1])
	case unicode.IsLetter(c), unicode.IsDigit(c):
		return names
	}
	return append(names, string(c))
}

// percented finds c with each of its bytes as %XX.
func percented(text string, c rune) []int {
	var code strings.Builder
	for _, b := range []byte(string(c)) {
		fmt.Fprintf(&code, "%%%02x", b)
	}
	if !startsWith(text, code.String()) {
		return nil
	}
	return []int{code.Len()}
}

// entity finds c as &name; or &#number;.
func entity(text string, c rune) []int {
	size := strings.IndexByte(text[:min(len(text), longestEntity)], ';') + 1
	if html.UnescapeString(text[:size]) != string(c) {
		return nil
	}
	return []int{size}
}

// startsWith disregards letter case, as hexadecimal digits do.
func startsWith(text, start string) bool {
	return len(text) >= len(start) && strings.EqualFold(text[:len(start)], start)
}
