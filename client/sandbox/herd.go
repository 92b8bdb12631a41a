package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// herd is the customers as they were born: the seed, repeated as often as it
// takes. Only the seed is held, so that a million customers cost no more than it.
type herd struct {
	seeds   []stencil // ascending by id
	count   int
	ordinal map[int64]int // of the seed's own ids
	last    int64         // the seed's highest id; copies are numbered from there
}

func newHerd(seed []byte, count int) (*herd, error) {
	var bodies []json.RawMessage
	if len(seed) > 0 {
		if err := json.Unmarshal(seed, &bodies); err != nil {
			return nil, fmt.Errorf("the seed is no JSON array: %w", err)
		}
	}
	h := &herd{ordinal: map[int64]int{}, count: positive(count, len(bodies))}
	for i, b := range bodies {
		s, err := newStencil(b)
		if err != nil {
			return nil, fmt.Errorf("customer %d of the seed: %w", i+1, err)
		}
		h.seeds = append(h.seeds, s)
	}
	if len(bodies) == 0 && count > 0 {
		return nil, fmt.Errorf("%d customers wanted, and the seed holds none", count)
	}
	return h, h.number()
}

func (h *herd) number() error {
	slices.SortFunc(h.seeds, func(a, b stencil) int { return int(a.id - b.id) })
	for i, s := range h.seeds {
		if _, taken := h.ordinal[s.id]; taken {
			return fmt.Errorf("the id %d stands twice in the seed", s.id)
		}
		h.ordinal[s.id] = i
		h.last = s.id
	}
	return nil
}

// body returns the customer as born.
func (h *herd) body(id int64) ([]byte, bool) {
	n, ok := h.ordinal[id]
	if !ok {
		n = len(h.seeds) + int(id-h.last) - 1
		ok = id > h.last
	}
	if !ok || n >= h.count {
		return nil, false
	}
	return h.seeds[n%len(h.seeds)].draw(id, n/len(h.seeds)), true
}

// ids yields all ids, ascending.
func (h *herd) ids() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for n := range h.count {
			id := h.last + int64(n-len(h.seeds)) + 1
			if n < len(h.seeds) {
				id = h.seeds[n].id
			}
			if !yield(id) {
				return
			}
		}
	}
}

// stencil is one customer of the seed with the places marked at which its copies differ.
type stencil struct {
	id    int64
	own   []byte   // the original
	parts [][]byte // of a copy: literal pieces, and marks by themselves
}

// The marks are bytes that no JSON text can hold.
const (
	markID   = "\x01"
	markCopy = "\x02"
)

func newStencil(raw []byte) (stencil, error) {
	o, err := parseObject(raw)
	if err != nil {
		return stencil{}, err
	}
	id, err := strconv.ParseInt(o.raw("id"), 10, 64)
	if err != nil || id <= 0 {
		return stencil{}, errors.New("no id, or one that is no positive integer")
	}
	s := stencil{id: id, own: o.bytes()}
	rest := markPlaces(o, o.raw("id")).bytes()
	for len(rest) > 0 {
		i := bytes.IndexAny(rest, markID+markCopy)
		switch {
		case i < 0:
			i = len(rest)
		case i == 0:
			i = 1
		}
		s.parts, rest = append(s.parts, rest[:i]), rest[i:]
	}
	return s, nil
}

// draw returns the original (nth 0) or a copy of it under another id.
func (s stencil) draw(id int64, nth int) []byte {
	if nth == 0 {
		return s.own
	}
	out := make([]byte, 0, len(s.own)+64)
	for _, p := range s.parts {
		switch string(p) {
		case markID:
			out = strconv.AppendInt(out, id, 10)
		case markCopy:
			out = strconv.AppendInt(out, int64(nth)+1, 10)
		default:
			out = append(out, p...)
		}
	}
	return out
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
