package csvfile

import (
	"bytes"
	"strings"
	"unicode"
)

// reading is a line as it reads in an encoding.
type reading struct{ name, text string }

// readings are the encodings under which a line reads like words, each with the part
// of the line around its first character beyond ASCII.
func readings(line []byte) (all []reading) {
	const around = 40
	line = bytes.TrimRight(line, "\r\n")
	for _, p := range pages() {
		decoded, err := p.encoding.NewDecoder().Bytes(line)
		if err != nil || !likeWords(string(decoded)) {
			continue
		}
		text := []rune(string(decoded))
		at := 0
		for at < len(text) && text[at] < unicode.MaxASCII {
			at++
		}
		shown := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, string(text[max(0, at-around):min(len(text), at+around)]))
		all = append(all, reading{p.name, shown})
	}
	return all
}

// likeWords reports whether what is beyond ASCII in a text may be part of words and
// signs between them: the letters of a word are of one script and do not turn from
// small to capital, and a sign stands where it may.
func likeWords(text string) bool {
	scripts := []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Hangul}
	scriptOf := func(r rune) int {
		for i, s := range scripts {
			if unicode.Is(s, r) {
				return i + 1
			}
		}
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			return len(scripts) + 1
		}
		return 0
	}
	before := ' '
	beyond := false // the word has letters beyond ASCII
	turned := false // it has turned from small to capital letters
	runes := []rune(text)
	for i, r := range runes {
		after := ' '
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r), r == unicode.ReplacementChar, unicode.Is(unicode.Co, r):
			return false
		case unicode.IsLetter(r) || r == 'ー' || r == '々':
			if !unicode.IsLetter(before) {
				beyond, turned = false, false
			} else if scriptOf(before) != scriptOf(r) && max(before, r) > unicode.MaxASCII {
				return false
			}
			beyond = beyond || r > unicode.MaxASCII
			turned = turned || unicode.IsLower(before) && unicode.IsUpper(r)
			if beyond && turned || r > unicode.MaxASCII && scriptOf(r) == 0 {
				return false
			}
		case r <= unicode.MaxASCII:
		case strings.ContainsRune("–—·•…\u00a0、。，：；（）「」『』・！？", r):
		case strings.ContainsRune("“„«‘¿¡", r):
			if unicode.IsLetter(before) {
				return false
			}
		case r == '’':
		case strings.ContainsRune("”»®™ªº°", r):
			if unicode.IsLetter(after) || before == ' ' {
				return false
			}
		case strings.ContainsRune("€£¥§©№±½¼", r):
			if unicode.IsLetter(before) || unicode.IsLetter(after) {
				return false
			}
		default:
			return false
		}
		before = r
	}
	return true
}
