package mapping

import (
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Schema is what an action can do with a row.
type Schema struct {
	Action     string
	System     string  // "fusebill" or "trackfinity": whose customers the keys name. A customer of one system is none of another's
	Keys       []Field // what may name the customer, in order of preference
	Finders    []Field // what else may name the customer, where a mapping file says so
	Fields     []Field
	Belongs    map[string]string // names that the action must not set, and where they belong
	Guards     []string          // readable names beyond these, for match only
	EitherKey  bool              // several key columns may stand in a file side by side, and each row fills exactly one of them
	Unreadable bool              // the API gives no record back: match and --match are refused, with that reason
	// Reserved is a word that the API itself takes for a clear. A text that reads
	// so, in any letter case and with white space around it, is rejected unless it
	// is a clear. A backslash does not help there.
	Reserved string

	OnlyKeys bool     // a file need not set anything
	Exported bool     // rows may come from an export, and are compared with what they were then
	ReadOnly []string // what an export shows and the action does not take; one that ends in a dot is a family
}

// target is a field and the name under which a column sets or guards it.
type target struct {
	field *Field
	name  string // with the member of a family
}

// settable finds what may be set under a name.
func (s *Schema) settable(name string) (target, bool) {
	name = strings.TrimSpace(name)
	whole := csvfile.Fold(name)
	prefix, member, dotted := strings.Cut(name, ".")
	prefix, member = csvfile.Fold(prefix)+".", strings.TrimSpace(member)
	for i := range s.Fields {
		f := &s.Fields[i]
		switch own := csvfile.Fold(f.Name); {
		case !f.Family && own == whole:
			return target{f, f.Name}, true
		case f.Family && dotted && member != "" && own == prefix:
			return target{f, f.Name + member}, true
		}
	}
	return target{}, false
}

// readable finds what may be compared with the live record under a name.
func (s *Schema) readable(name string) (target, bool) {
	if t, ok := s.settable(name); ok {
		return t, true
	}
	if f := s.key(name); f != nil {
		return target{f, f.Name}, true
	}
	for _, guard := range s.Guards {
		if csvfile.Fold(guard) == csvfile.Fold(name) {
			return target{&Field{Name: guard}, guard}, true
		}
	}
	return target{}, false
}

// finder finds what may name the customer by a mapping file's key; nil where it may not.
func (s *Schema) finder(name string) *Field {
	for i := range s.Finders {
		if csvfile.Fold(s.Finders[i].Name) == csvfile.Fold(name) {
			return &s.Finders[i]
		}
	}
	return s.key(name)
}

// key finds what may name the customer; nil where the name is no key's.
func (s *Schema) key(name string) *Field {
	for i := range s.Keys {
		if csvfile.Fold(s.Keys[i].Name) == csvfile.Fold(name) {
			return &s.Keys[i]
		}
	}
	return nil
}

func namesOf(fields []Field) []string {
	var names []string
	for i := range fields {
		names = append(names, fields[i].Name)
	}
	return names
}

// either lists names that do equally well.
func either(names []string) string { return strings.Join(names, " or ") }

// Nearest returns the name that somebody who typed another most likely meant;
// false when none is near. Letter case, white space, _ and - do not count.
func Nearest(name string, of []string) (string, bool) {
	typed := []rune(csvfile.Fold(name))
	best, least := "", min(max(len(typed)/3, 1)+1, len(typed))
	for _, candidate := range of {
		known := csvfile.Fold(candidate)
		if strings.HasSuffix(known, "."+string(typed)) {
			return candidate, true // reference2 is customerReference.reference2, not reference
		}
		if d := editDistance(typed, []rune(known)); d < least {
			best, least = candidate, d
		}
	}
	return best, best != ""
}

// editDistance counts inserted, removed, replaced and swapped neighbouring letters.
func editDistance(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		now[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// meant are the names that somebody who typed another may have meant: what is known
// under that name elsewhere, else the nearest.
func meant(name string, of []string) []string {
	if fields := kinOf(name, of); len(fields) > 0 {
		return fields
	}
	if near, ok := Nearest(name, of); ok {
		return []string{near}
	}
	return nil
}

// didYouMean is the end of a message about an unknown name.
func didYouMean(name string, of []string) string {
	if near := meant(name, of); near != nil {
		return "; did you mean " + either(near) + "?"
	}
	return ""
}

// isItOne is the end of advice to have a column of one of the names: a heading
// that is nearly one.
func isItOne(headings, names []string) string {
	i := slices.IndexFunc(headings, func(h string) bool { return meant(h, names) != nil })
	if i < 0 {
		return ""
	}
	return "; is it \"" + headings[i] + "\"?"
}
