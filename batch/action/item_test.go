package action_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/mapping"
)

// cell returns a cell of the update's own field table.
func cell(t *testing.T, name, text string) mapping.Cell {
	t.Helper()
	fields := action.UpdateSchema().Fields
	i := slices.IndexFunc(fields, func(f mapping.Field) bool {
		return f.Name == name || f.Family && len(name) > len(f.Name) && name[:len(f.Name)] == f.Name
	})
	if i < 0 {
		t.Fatalf("no field %s", name)
	}
	return mapping.Cell{Field: &fields[i], Name: name, Column: name, Text: text}
}

func TestItem(t *testing.T) {
	const region = "salesTrackingCode.Region"
	codes := action.NewTrackingCodes()
	codes.Known("Region", "north", "Region", "NORTH")
	codes.Unknown("Region", "MOON", "SalesTrackingCode with code MOON not found.")
	cleared := cell(t, "primaryPhone", "")
	cleared.Clear = true
	cleared1 := cell(t, region, "")
	cleared1.Clear = true
	set := func(pairs ...string) []batch.Edit { return setting(pairs...).Edits }
	tests := []struct {
		name, key, found string
		row              mapping.Mapped
		want             batch.Item
	}{
		{"by id", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, "lastName", "Holm")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set("lastName", `"Holm"`)}},
		{"by reference", "reference", "7", mapping.Mapped{Key: "007", Cells: []mapping.Cell{cell(t, "lastName", "Holm")}},
			batch.Item{Key: "reference=007", ID: "7", Lane: "fb:7", Edits: set("lastName", `"Holm"`),
				Guards: []batch.Guard{{Field: "reference", Value: `"007"`, Exact: true}}}},
		{"digits are numbers", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, "parentId", "9007199254740993123"), cell(t, "quickBooksId", "5")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set("parentId", "9007199254740993123", "quickBooksId", "5")}},
		{"all else is text", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, "reference", "007"), cell(t, "primaryPhone", "5550100"), cell(t, "suffix", "null")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set("reference", `"007"`, "primaryPhone", `"5550100"`, "suffix", `"null"`)}},
		{"text that JSON escapes", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, "suffix", "a\"\\\n<é>")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set("suffix", `"a\"\\\n<é>"`)}},
		{"cleared", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cleared, cleared1}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set("primaryPhone", "null", region, "null")}},
		{"guards", "reference", "7", mapping.Mapped{Key: "AC-1", Guards: []mapping.Cell{cell(t, "companyName", "N & Co"), cell(t, "suffix", "")}},
			batch.Item{Key: "reference=AC-1", ID: "7", Lane: "fb:7", Guards: []batch.Guard{
				{Field: "reference", Value: `"AC-1"`, Exact: true}, {Field: "companyName", Value: `"N & Co"`}, {Field: "suffix", Value: `""`}}}},
		{"a code as the account spells it", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, region, "north")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set(region, `"NORTH"`)}},
		{"a code that was not looked up", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, region, "EAST")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Edits: set(region, `"EAST"`)}},
		{"an unknown code", "id", "", mapping.Mapped{Key: "7", Cells: []mapping.Cell{cell(t, region, "MOON")}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7",
				Out: batch.Reject("unknown_tracking_code", `the account has no code "MOON" of type "Region": SalesTrackingCode with code MOON not found.`)}},
		{"one problem", "id", "", mapping.Mapped{Key: "7", Problems: []mapping.Problem{{Code: "too_long", Column: "Last", Text: "60 characters"}}},
			batch.Item{Key: "id=7", ID: "7", Lane: "fb:7", Out: batch.Reject("too_long", "Last: 60 characters")}},
		{"problems", "reference", "7", mapping.Mapped{Key: "AC-1", Cells: []mapping.Cell{cell(t, "lastName", "Holm")}, Problems: []mapping.Problem{
			{Code: "bad_value", Column: "Mail", Text: "no address"}, {Code: "ragged_row", Text: "3 cells, not 4"}, {Code: "not_clearable", Column: "title", Text: "title cannot be cleared"}}},
			batch.Item{Key: "reference=AC-1", ID: "7", Lane: "fb:7", Out: batch.Reject("bad_value", "Mail: no address; 3 cells, not 4; title cannot be cleared")}},
		{"without a key", "reference", "", mapping.Mapped{Problems: []mapping.Problem{{Code: "missing_key", Column: "Ref", Text: "the key is blank"}}},
			batch.Item{Lane: "fb:", Out: batch.Reject("missing_key", "Ref: the key is blank")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(&tt.want, updateItem(withKey(tt.row, tt.key), action.Context{Found: tt.found, Codes: codes})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What an update must not touch is in no table of what it sets, and every other table agrees with itself.
func TestSpecs(t *testing.T) {
	for _, s := range action.Specs() {
		seen := map[string]bool{}
		for _, f := range s.Schema.Fields {
			if why, belongs := s.Schema.Belongs[f.Name]; belongs || seen[f.Name] {
				t.Errorf("%s: %s stands twice, or %s", s.Schema.Action, f.Name, why)
			}
			seen[f.Name] = true
		}
		if found, ok := action.Find(s.Schema.Action); !ok || found.Schema.Action != s.Schema.Action {
			t.Errorf("%s cannot be found", s.Schema.Action)
		}
		if act := s.New(action.Services{}); act.Name() != s.Schema.Action || act.MaxSends() < 1 {
			t.Errorf("%s calls itself %s, and sends %d times", s.Schema.Action, act.Name(), act.MaxSends())
		}
	}
	if _, ok := action.Find("destroy"); ok {
		t.Error("an action that nobody wrote")
	}
}
