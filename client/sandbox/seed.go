package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// seed is the customers before any write: those given, repeated as often as it
// takes. Only those given are held, so that a million customers cost no more.
type seed struct {
	templates []template // ascending by id
	count     int
	ordinal   map[int64]int // of the given customers' ids
	last      int64         // the highest of these; copies are numbered from there
}

func newSeed(bodies []json.RawMessage, count int) (*seed, error) {
	s := &seed{ordinal: map[int64]int{}, count: cmp.Or(count, len(bodies))}
	for i, b := range bodies {
		t, err := newTemplate(b, count > len(bodies))
		if err != nil {
			return nil, fmt.Errorf("customer %d of the seed: %w", i+1, err)
		}
		s.templates = append(s.templates, t)
	}
	if len(bodies) == 0 && count > 0 {
		return nil, fmt.Errorf("%d customers wanted, and the seed holds none", count)
	}
	slices.SortFunc(s.templates, func(a, b template) int { return int(a.id - b.id) })
	for i, t := range s.templates {
		if _, taken := s.ordinal[t.id]; taken {
			return nil, fmt.Errorf("the id %d stands twice in the seed", t.id)
		}
		s.ordinal[t.id] = i
		s.last = t.id
	}
	return s, nil
}

// body returns the customer as the seed has it.
func (s *seed) body(id int64) ([]byte, bool) {
	n, ok := s.ordinal[id]
	if !ok {
		n = len(s.templates) + int(id-s.last) - 1
		ok = id > s.last
	}
	if !ok || n >= s.count {
		return nil, false
	}
	return s.templates[n%len(s.templates)].copy(id, n/len(s.templates)), true
}

// ids yields all ids, ascending.
func (s *seed) ids() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for n := range s.count {
			id := s.last + int64(n-len(s.templates)) + 1
			if n < len(s.templates) {
				id = s.templates[n].id
			}
			if !yield(id) {
				return
			}
		}
	}
}

// template is one given customer with the places marked at which its copies differ.
type template struct {
	id     int64
	own    []byte // the original
	marked []byte // the same with marks in it; nil: there are no copies
}

// The marks are bytes that no JSON text can hold.
const (
	markID   = "\x01"
	markCopy = "\x02"
)

func newTemplate(raw []byte, copied bool) (template, error) {
	o, err := parseObject(raw)
	if err != nil {
		return template{}, err
	}
	id, err := strconv.ParseInt(o.raw("id"), 10, 64)
	if err != nil || id <= 0 {
		return template{}, errors.New("no id, or one that is no positive integer")
	}
	t := template{id: id, own: o.bytes()}
	if copied {
		t.marked = markPlaces(o, o.raw("id")).bytes()
	}
	return t, nil
}

// copy returns the original (nth 0) or a copy of it under another id.
func (t template) copy(id int64, nth int) []byte {
	if nth == 0 {
		return t.own
	}
	out := bytes.ReplaceAll(t.marked, []byte(markID), strconv.AppendInt(nil, id, 10))
	return bytes.ReplaceAll(out, []byte(markCopy), strconv.AppendInt(nil, int64(nth)+1, 10))
}

func markPlaces(o object, id string) object {
	out := slices.Clone(o)
	for i, m := range out {
		switch m.name {
		case "id":
			out[i].value = markID
		case "uri":
			out[i].value = strings.Replace(m.value, "/"+id+`"`, "/"+markID+`"`, 1)
		case "reference":
			out[i].value = appendText(m.value, "-"+markCopy)
		case "lastName", "companyName":
			out[i].value = appendText(m.value, " "+markCopy)
		case "primaryEmail", "secondaryEmail":
			out[i].value = strings.ReplaceAll(m.value, "@", "+"+markCopy+"@")
		case "customerReference", "customerAcquisition":
			if inner, err := parseObject([]byte(m.value)); err == nil {
				out[i].value = string(markPlaces(inner, id).bytes())
			}
		}
	}
	return out
}

// appendText lengthens a string that is not empty; a number becomes text by it.
func appendText(raw, tail string) string {
	switch text := plain(raw); {
	case text == "":
		return raw
	case raw[0] != '"':
		return `"` + raw + tail + `"`
	}
	return strings.TrimSuffix(raw, `"`) + tail + `"`
}
