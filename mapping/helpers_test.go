package mapping

import (
	"errors"
	"strings"
	"testing"

	"rowbatch/mapping/csvfile"
)

func schema() Schema {
	return Schema{
		Action: "update",
		System: "fusebill",
		Keys:   []Field{{Name: "id", Kind: Digits}, {Name: "reference", Kind: Reference, Max: 255}},
		Fields: []Field{
			{Name: "firstName", Max: 50},
			{Name: "lastName", Max: 50},
			{Name: "companyName", Max: 255, WarnOver: 50},
			{Name: "title", Kind: Enum, Enum: []string{"Mr", "Mrs", "Ms", "Miss", "Dr"}},
			{Name: "primaryEmail", Kind: Email, Max: 255, Clear: IfAllowed},
			{Name: "primaryPhone", Kind: Phone, Max: 50},
			{Name: "reference", Kind: Reference, Max: 255, Unique: "reference_chain"},
			{Name: "customerReference.reference1", Max: 255},
			{Name: "customerReference.reference2", Max: 255},
			{Name: "salesTrackingCode.", Family: true, Max: 255},
			{Name: "parentId", Kind: Digits, Parent: true},
			{Name: "quickBooksId", Kind: Digits, Clear: Never},
		},
		Belongs: map[string]string{"status": "use hold", "hubSpotId": "use latch"},
		Guards:  []string{"status", "currency"},
	}
}

func input(t testing.TB, text string) *csvfile.Reader {
	t.Helper()
	in, err := csvfile.NewReader(strings.NewReader(text), "in.csv", csvfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func compiled(t testing.TB, heading string, o CompileOptions) *Mapper {
	t.Helper()
	m, err := Compile([]Schema{schema()}, strings.Split(heading, ","), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parsed(t testing.TB, text string) *File {
	t.Helper()
	f, err := ParseFile("map.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// refused demands a refusal that says all of the texts.
func refused(t *testing.T, err error, line int, texts ...string) {
	t.Helper()
	var r *csvfile.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if r.Line != line {
		t.Errorf("line %d, want %d in: %v", r.Line, line, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in: %v", text, err)
		}
	}
}

// show writes what a row sets as name=text, and name! for a clear.
func show(m Mapped) string {
	var parts []string
	for _, c := range m.Cells {
		if c.Clear {
			parts = append(parts, c.Name+"!")
		} else {
			parts = append(parts, c.Name+"="+c.Text)
		}
	}
	for _, c := range m.Guards {
		parts = append(parts, c.Name+"?"+c.Text)
	}
	for _, p := range m.Problems {
		parts = append(parts, "#"+p.Code)
	}
	return strings.Join(parts, " | ")
}

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
			return Compile([]Schema{s}, columns, o)
		}
	}
	return Compile(allSchemas(), columns, o)
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
