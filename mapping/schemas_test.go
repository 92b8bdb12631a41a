package mapping

import (
	"strings"
	"testing"
)

func fusebillKeys() []Field {
	return []Field{{Name: "id", Kind: Digits}, {Name: "reference", Kind: Reference, Max: 255}}
}

func holdSchema() Schema {
	return Schema{Action: "hold", System: "fusebill", Keys: fusebillKeys(), Guards: []string{"status", "companyName"}}
}

func latchSchema() Schema {
	return Schema{Action: "latch", System: "fusebill", Keys: fusebillKeys(), Fields: []Field{
		{Name: "hubSpotId", Kind: Digits, Unique: "already_linked"},
		{Name: "hubSpotCompanyId", Kind: Digits, Unique: "already_linked"},
	}}
}

func patchSchema() Schema {
	return Schema{
		Action: "patch", System: "trackfinity", EitherKey: true, Unreadable: true, Reserved: "REMOVE",
		Keys: []Field{{Name: "customer_id", Kind: Reference}, {Name: "subscription_id", Kind: Reference}},
		Fields: []Field{{Name: "firstname"}, {Name: "email", Kind: Email}, {Name: "password", Clear: Never, Secret: true},
			{Name: "zip"}, {Name: "custom1"}},
	}
}

func allSchemas() []Schema {
	return []Schema{schema(), holdSchema(), latchSchema(), patchSchema()}
}

// mapperOf compiles a heading for an action, or for "run".
func mapperOf(command, heading string, o CompileOptions) (*Mapper, error) {
	columns := strings.Split(heading, ",")
	for _, s := range allSchemas() {
		if s.Action == command {
			return Compile(s, columns, o)
		}
	}
	return CompileMixed(allSchemas(), columns, o)
}

// optional parses a mapping file unless there is none.
func optional(t testing.TB, text string) *File {
	t.Helper()
	if text == "" {
		return nil
	}
	return parsed(t, text)
}

func mapper(t testing.TB, command, heading, file string) *Mapper {
	t.Helper()
	m, err := mapperOf(command, heading, CompileOptions{File: optional(t, file)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reading is what a row of a mapper says, with its action and key before it.
func reading(m *Mapper, row string) string {
	got := m.Row(strings.Split(row, ","))
	head := strings.TrimSpace(got.Action + " " + got.KeyField + "=" + got.Key)
	return strings.TrimSuffix(head+": "+show(got), ": ")
}
