package mapping

import (
	"math/bits"
	"slices"
	"strconv"
)

// kind is what rows have in common that are of one action and name their
// customers by one field. The first kind is that of rows whose action is unknown.
type kind struct {
	KeyUse
	system   string
	digits   bool   // the key is a number
	salt     uint64 // tells keys of this field from all others
	sendable int
}

// kindsOf lists the kinds of rows that a mapper tells apart: for each action
// those by key column, and that of rows which name no customer.
func kindsOf(m *Mapper, hash func(string) uint64) []kind {
	all := []kind{{}}
	for _, l := range m.layouts {
		all = append(all, kind{KeyUse: KeyUse{Action: l.schema.Action}, system: l.schema.System})
		for i := range l.keys {
			k := &l.keys[i]
			all = append(all, kind{
				KeyUse: KeyUse{l.schema.Action, k.name, k.heading}, system: l.schema.System,
				digits: k.field.Kind == Digits, salt: saltOf(hash, l.schema.System, k.field),
			})
		}
	}
	return all
}

// saltOf differs from field to field and from system to system.
func saltOf(hash func(string) uint64, system string, f *Field) uint64 {
	return hash(f.Name) ^ bits.RotateLeft64(hash(system), 1)
}

func (c *checker) kindOf(row *Mapped) int {
	return slices.IndexFunc(c.result.kinds, func(k kind) bool { return k.Action == row.Action && k.Field == row.KeyField })
}

// identity is a key as a number that no other customer has; 0 for no key.
// Numbers stay apart for certain, other keys by their hash.
func (c *checker) identity(k *kind, key string) uint64 {
	switch {
	case key == "":
		return 0
	case k.digits:
		return max(number(key)^k.salt, 1)
	}
	return max(c.hash(key)^k.salt, 1)
}

// number reads digits that Field.check has let pass.
func number(digits string) uint64 {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
