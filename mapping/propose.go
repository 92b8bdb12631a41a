package mapping

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"rowbatch/mapping/csvfile"
)

// Proposal is what a column of somebody else's file may be for.
type Proposal struct {
	Field  string // "": nothing that is known is like it
	Key    bool   // the field names the customer
	Action bool   // it says what each row of a mixed file becomes
}

// SameName reports whether a heading is a field's name, letter case, white space, _ and - aside.
func SameName(field, heading string) bool { return csvfile.Fold(field) == csvfile.Fold(heading) }

// Propose guesses what the headings of a file mean to some actions: by exact names
// first, then by what other programs and languages call the fields, then by the look of
// the cells, of which values has some for each heading, last by the nearest spelling.
// Each field is proposed once at most, and one key.
func Propose(schemas []Schema, headings []string, values [][]string) []Proposal {
	p := &proposer{schemas: schemas, headings: headings, all: make([]Proposal, len(headings)), taken: map[string]bool{}}
	p.exact()
	for _, ambiguous := range []bool{false, true} {
		p.each(func(i int) {
			if fields := p.free(kinOf(headings[i], p.names())); (len(fields) > 1) == ambiguous {
				p.take(i, fields)
			}
		})
	}
	p.each(func(i int) {
		if i < len(values) {
			p.take(i, p.looksLike(values[i]))
		}
	})
	p.each(func(i int) {
		if near, ok := Nearest(headings[i], p.free(p.names())); ok {
			p.take(i, []string{near})
		}
	})
	return p.all
}

// proposer gives fields to headings.
type proposer struct {
	schemas  []Schema
	headings []string
	all      []Proposal
	taken    map[string]bool
	keyed    bool
}

// each goes over the headings that nothing is proposed for, and that may be guessed.
func (p *proposer) each(do func(i int)) {
	for i, h := range p.headings {
		if p.all[i] == (Proposal{}) && strings.TrimSpace(h) != "" && !csvfile.IsOurs(h) && !csvfile.IsExport(h) &&
			!csvfile.MentionsPassword(h) && !strings.HasPrefix(strings.TrimSpace(h), "#") {
			do(i)
		}
	}
}

// names are those of the keys and fields of all actions, keys first.
func (p *proposer) names() (names []string) {
	for _, s := range p.schemas {
		names = append(names, namesOf(s.Keys)...)
	}
	for _, s := range p.schemas {
		names = append(names, namesOf(s.Fields)...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, ".") })
}

// free are the names that nothing has been proposed for. The name of a key is one of its
// own: what customers are called by is not to be changed because of a guess.
func (p *proposer) free(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.taken[name] || p.keyed && p.isKey(name) })
}

func (p *proposer) isKey(name string) bool {
	return slices.ContainsFunc(p.schemas, func(s Schema) bool { return s.key(name) != nil })
}

// take gives a heading the best of some fields. A name alone is a person's where the
// file has first names, else a company's.
func (p *proposer) take(i int, fields []string) {
	if len(fields) == 0 {
		return
	}
	best := fields[0]
	if slices.Contains(fields, "companyName") && !p.taken["firstName"] {
		best = "companyName"
	}
	p.taken[best] = true
	p.all[i] = Proposal{Field: best, Key: p.isKey(best) && !p.keyed}
	p.keyed = p.keyed || p.all[i].Key
}

// exact takes the headings that need no mapping file: the action of a mixed file, the key
// that is preferred, fields.
func (p *proposer) exact() {
	if len(p.schemas) > 1 {
		if i := slices.IndexFunc(p.headings, func(h string) bool { return SameName("action", h) }); i >= 0 {
			p.all[i].Action = true
		}
	}
	for _, s := range p.schemas {
		for _, k := range s.Keys {
			i := slices.IndexFunc(p.headings, func(h string) bool { return SameName(k.Name, h) })
			if i >= 0 && !p.keyed {
				p.all[i] = Proposal{Field: k.Name, Key: true}
				p.keyed = true
			}
		}
	}
	for i, h := range p.headings {
		for _, s := range p.schemas {
			if t, ok := s.settable(h); ok && p.all[i] == (Proposal{}) && !p.taken[t.name] {
				p.taken[t.name] = true
				p.all[i].Field = t.name
			}
		}
	}
}

// What cells of a kind look like to a person.
var (
	likeEmail = regexp.MustCompile(`^[^@\s;,]+@[^@\s;,]+\.[^@\s;,]+$`)
	likePhone = regexp.MustCompile(`^\+?[0-9(][0-9 ()./-]{6,}$`)
	likeID    = regexp.MustCompile(`^[1-9][0-9]{3,}$`)
)

// looksLike returns the fields whose kind all cells of a column have.
func (p *proposer) looksLike(cells []string) (fields []string) {
	var filled []string
	for _, cell := range cells {
		if cell = trimEnds(cell); cell != "" {
			filled = append(filled, cell)
		}
	}
	if len(filled) == 0 {
		return nil
	}
	are := func(ok func(cell string) bool) bool {
		return !slices.ContainsFunc(filled, func(cell string) bool { return !ok(cell) })
	}
	phones := are(likePhone.MatchString) && are(func(cell string) bool { return strings.ContainsAny(cell, "+ ()/-") }) &&
		are(func(cell string) bool {
			return strings.Count(strings.Map(digitMark, cell), "9") > 6 && isoDate("2006-01-02", cell) == ""
		})
	ids := !p.keyed && len(filled) > 1 && are(likeID.MatchString) && are(func(cell string) bool { return len(cell) == len(filled[0]) }) &&
		len(slices.Compact(slices.Sorted(slices.Values(filled)))) == len(filled)
	for _, s := range p.schemas {
		for _, f := range slices.Concat(s.Keys, s.Fields) {
			email := f.Kind == Email && are(likeEmail.MatchString)
			phone := f.Kind == Phone && phones
			id := f.Kind == Digits && ids && s.key(f.Name) != nil
			if (email || phone || id) && !p.taken[f.Name] {
				fields = append(fields, f.Name)
			}
		}
	}
	return fields
}

// digitMark is 9 for a digit.
func digitMark(r rune) rune {
	if unicode.IsDigit(r) {
		return '9'
	}
	return r
}

// Draft writes a mapping file for a file of some name: what Propose makes of its headings,
// with cells of each column beside it, and under ignore what it makes nothing of. Action is
// the command. complete reports whether the file says who the customers are.
func Draft(action, name string, schemas []Schema, headings []string, values [][]string) (text []byte, complete bool, err error) {
	scalar := func(text, comment string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, LineComment: comment}
	}
	list := func(kind yaml.Kind) *yaml.Node { return &yaml.Node{Kind: kind} }
	root, key, columns, ignore := list(yaml.MappingNode), list(yaml.MappingNode), list(yaml.MappingNode), list(yaml.SequenceNode)
	root.Content = append(root.Content, scalar("action", ""), scalar(action, ""))
	for i, p := range Propose(schemas, headings, values) {
		heading := strings.TrimSpace(headings[i])
		comment := samples(values[i])
		if isSecretName(heading) {
			comment = ""
		}
		switch {
		case heading == "" || csvfile.IsOurs(heading) || csvfile.IsExport(heading):
		case p.Action:
			root.Content = append(root.Content, scalar("action_column", ""), scalar(heading, comment))
		case p.Key:
			key.Content = append(key.Content, scalar("column", ""), scalar(heading, comment), scalar("field", ""), scalar(p.Field, ""))
		case p.Field != "":
			sets := scalar(p.Field, comment)
			if words := wordsFor(schemas, p.Field, values[i]); len(words) > 0 {
				given := list(yaml.MappingNode)
				for _, word := range words {
					given.Content = append(given.Content, scalar(word[0], ""), scalar(word[1], ""))
				}
				sets = list(yaml.MappingNode)
				sets.Content = []*yaml.Node{scalar("field", ""), scalar(p.Field, comment), scalar("values", ""), given}
			}
			columns.Content = append(columns.Content, scalar(heading, ""), sets)
		default:
			ignore.Content = append(ignore.Content, scalar(heading, comment))
		}
	}
	for _, part := range []struct {
		name, comment string
		value         *yaml.Node
	}{
		{"key", "# who the customer is", key},
		{"columns", "# what each column sets", columns},
		{"ignore", "# like no field of " + action + "; to set one, move the line up to columns, as heading: field", ignore},
	} {
		if len(part.value.Content) > 0 {
			head := scalar(part.name, "")
			head.HeadComment = part.comment
			root.Content = append(root.Content, head, part.value)
		}
	}
	root.HeadComment = "# Proposed for " + oneLine(name) + " by its headings and cells. Look at each line before you use it.\n"
	text, err = yaml.Marshal(root)
	return text, len(key.Content) > 0, err
}

// wordsFor pairs the cells of a column with the words that its field takes, where some cell is
// none of these. A cell that is like none is left to whoever reads the proposal.
func wordsFor(schemas []Schema, field string, cells []string) (pairs [][2]string) {
	var enum []string
	for _, s := range schemas {
		if t, ok := s.settable(field); ok && t.field.Kind == Enum {
			enum = t.field.Enum
		}
	}
	elsewhere := map[string]string{"herr": "Mr", "hr": "Mr", "mister": "Mr", "monsieur": "Mr", "m": "Mr", "senor": "Mr", "sr": "Mr",
		"frau": "Ms", "fr": "Ms", "madame": "Mrs", "mme": "Mrs", "senora": "Mrs", "sra": "Mrs", "missus": "Mrs",
		"fraulein": "Miss", "mademoiselle": "Miss", "mlle": "Miss", "senorita": "Miss", "srta": "Miss",
		"doctor": "Dr", "doktor": "Dr", "docteur": "Dr", "drmed": "Dr"}
	foreign := false
	for _, cell := range cells {
		cell = trimEnds(cell)
		i := slices.IndexFunc(enum, func(word string) bool { return bare(word) == bare(cell) || word == elsewhere[bare(cell)] })
		if cell != "" && cell != DefaultClear && i >= 0 {
			foreign = foreign || !strings.EqualFold(cell, enum[i])
			pairs = append(pairs, [2]string{cell, enum[i]})
		}
	}
	if !foreign {
		return nil
	}
	return pairs
}

// isSecretName reports whether a heading may stand over what no mapping file may hold.
func isSecretName(heading string) bool {
	name := bare(heading)
	elsewhere := []string{"passwort", "kennwort", "motdepasse", "contrasena", "clave", "pwd", "pin"}
	return slices.ContainsFunc(append(secretWords(), elsewhere...), func(word string) bool { return strings.Contains(name, word) })
}

// samples are some cells of a column, as a comment.
func samples(cells []string) string {
	var some []string
	for _, cell := range cells {
		if cell = oneLine(trimEnds(cell)); cell != "" && !slices.Contains(some, cell) && len(some) < 3 {
			if r := []rune(cell); len(r) > 30 {
				cell = string(r[:30]) + "…"
			}
			some = append(some, cell)
		}
	}
	if len(some) == 0 {
		return ""
	}
	return "# " + strings.Join(some, ", ")
}

// oneLine is a text without what would end a comment or hide in it.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
