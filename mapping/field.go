package mapping

import (
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Kind says which texts a field takes.
type Kind int

const (
	Text      Kind = iota // anything but control characters; tabs and newlines are text
	Digits                // a whole number without leading zeros: an id
	Email                 // one address, or several joined by ;
	Phone                 // one line, free form
	Reference             // one line without surrounding white space
	Enum                  // one of Field.Enum, in any letter case
)

func (k Kind) String() string {
	return [...]string{"text", "digits", "email", "phone", "reference", "enum"}[k]
}

// ClearRule says whether a row may clear a field.
type ClearRule int

const (
	Clearable ClearRule = iota
	IfAllowed           // only when the mapping file's allow_clear names the field
	Never
)

func (r ClearRule) String() string { return [...]string{"yes", "with allow_clear", "no"}[r] }

// Field is one line of an action's field table.
type Field struct {
	Name     string
	Kind     Kind
	Max      int      // UTF-16 units, as the vendor counts; 0: no limit known
	WarnOver int      // UTF-16 units above which a row gets a warning; 0: never
	Enum     []string // as the API spells them
	Family   bool     // Name ends in "."; the rest of a heading names the member, in the user's spelling
	Clear    ClearRule
	Unique   string // rb_error_code of rows that would give several customers one value ("reference_chain", "already_linked"); "": values may repeat
	Parent   bool   // holds another customer's id
	Secret   bool   // masked wherever it is shown or kept; no mapping file gives it a value; never cleared
}

func (f *Field) neverCleared() bool { return f.Clear == Never || f.Secret }

// Schema is what an action can do with a row.
type Schema struct {
	Action     string
	System     string  // "fusebill" or "trackfinity": whose customers the keys name. A customer of one system is none of another's
	Keys       []Field // what may name the customer, in order of preference
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
	ReadOnly []string // what an export shows beside the fields
}

func (s *Schema) keyNames() []string {
	var names []string
	for i := range s.Keys {
		names = append(names, s.Keys[i].Name)
	}
	return names
}

// target is what a column sets.
type target struct {
	field *Field
	name  string // with the member of a family
}

// directory finds fields by the names that people write.
type directory struct {
	fields  map[string]*Field // by folded name, families by their prefix
	keys    map[string]*Field
	belongs map[string]string
	guards  map[string]*Field
	names   []string // of keys and fields, for "did you mean"
}

func newDirectory(s Schema) *directory {
	d := &directory{fields: byName(s.Fields), keys: byName(s.Keys), belongs: map[string]string{}, guards: map[string]*Field{}}
	for name, why := range s.Belongs {
		d.belongs[csvfile.Fold(name)] = why
	}
	for _, name := range s.Guards {
		d.guards[csvfile.Fold(name)] = &Field{Name: name}
	}
	for _, f := range slices.Concat(s.Keys, s.Fields) {
		d.names = append(d.names, f.Name)
	}
	return d
}

func byName(fields []Field) map[string]*Field {
	m := make(map[string]*Field, len(fields))
	for i := range fields {
		f := fields[i]
		m[csvfile.Fold(f.Name)] = &f
	}
	return m
}

// field finds what may be set under a name.
func (d *directory) field(name string) (target, bool) {
	name = strings.TrimSpace(name)
	if f := d.fields[csvfile.Fold(name)]; f != nil && !f.Family {
		return target{f, f.Name}, true
	}
	prefix, member, dotted := strings.Cut(name, ".")
	member = strings.TrimSpace(member)
	if f := d.fields[csvfile.Fold(prefix)+"."]; dotted && f != nil && f.Family && member != "" {
		return target{f, f.Name + member}, true
	}
	return target{}, false
}

func (d *directory) key(name string) *Field { return d.keys[csvfile.Fold(name)] }

// guard finds what may be read under a name.
func (d *directory) guard(name string) (target, bool) {
	if t, ok := d.field(name); ok {
		return t, true
	}
	for _, m := range []map[string]*Field{d.keys, d.guards} {
		if f := m[csvfile.Fold(name)]; f != nil {
			return target{f, f.Name}, true
		}
	}
	return target{}, false
}
