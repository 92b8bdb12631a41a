package client

import (
	"cmp"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	shortestSecret = 4        // characters that can be masked without telling by the gap what they were
	longestLook    = 16 << 10 // bytes of a text
	leftOut        = "(left out: it may repeat a secret)"
)

// secrets is what no message may repeat. It is a function because a list would
// be printed by %+v. A nil one holds none.
type secrets func() []wording

// wording is a way to write a secret, escapes aside.
type wording struct {
	text  string
	short bool // of a secret too short to be masked
}

func newSecrets(texts ...string) secrets { return secrets(nil).and(texts...) }

// and returns the secrets together with further ones.
func (s secrets) and(texts ...string) secrets {
	if len(texts) == 0 {
		return s
	}
	all := slices.Clone(s.wordings())
	for _, text := range texts {
		if text != "" {
			all = append(all, wordings(text)...)
		}
	}
	slices.SortStableFunc(all, func(a, b wording) int { return cmp.Compare(len(b.text), len(a.text)) })
	return func() []wording { return all }
}

func (s secrets) wordings() []wording {
	if s == nil {
		return nil
	}
	return s()
}

// wordings returns a secret as it is and as Base64 of all kinds.
func wordings(secret string) []wording {
	short := utf8.RuneCountInString(secret) < shortestSecret
	all := []wording{{secret, short}}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		all = append(all, wording{e.EncodeToString([]byte(secret)), short})
	}
	return all
}

// clean masks the secrets in a text, however they are escaped there. A text with
// a very short one is left out altogether.
func (s secrets) clean(text string) string {
	all := s.wordings()
	var b strings.Builder
	for len(all) > 0 && text != "" {
		found, size := longest(all, text)
		switch {
		case size == 0:
			b.WriteByte(text[0])
			size = 1
		case found.short:
			return leftOut
		default:
			b.WriteString(mask)
		}
		text = text[size:]
	}
	return b.String() + text
}

// longest returns the first, and so the longest, wording at the start of text.
func longest(all []wording, text string) (found wording, size int) {
	for _, w := range all {
		if size = spelled(text, w.text); size > 0 {
			return w, size
		}
	}
	return wording{}, 0
}

// shown makes foreign text safe to print. Only the beginning of a long text is
// looked at, unless so much of that was masked that its end might show, and with
// it half a secret. Joining lines may put a secret together: hence the second look.
func (s secrets) shown(text string) string {
	beginning := text[:min(len(text), longestLook)]
	cleaned := s.clean(beginning)
	if cleaned == leftOut || len(beginning) < len(text) && len(cleaned) < len(beginning)/2 {
		return leftOut
	}
	return s.clean(visible(cleaned))
}

// hide returns err, or an error without the secrets in its text that is still the
// same to errors.Is and errors.As.
func (s secrets) hide(err error) error {
	if err == nil {
		return nil
	}
	if text := s.clean(err.Error()); text != err.Error() {
		return &hiddenError{text, func() error { return err }}
	}
	return err
}

// hiddenError has no Unwrap, by which its cause could be printed.
type hiddenError struct {
	text  string
	cause func() error
}

func (e *hiddenError) Error() string        { return e.text }
func (e *hiddenError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *hiddenError) As(target any) bool   { return errors.As(e.cause(), target) }
