package mapping

import (
	"fmt"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"id", "reference", "firstName", "lastName", "primaryEmail", "customerReference.reference2"}
	for typed, want := range map[string]string{
		"Frist Name": "firstName", "prim_email": "primaryEmail", "reference2": "customerReference.reference2",
		"refrence": "reference", "di": "id", "favourite colour": "", "x": "", "": "",
	} {
		if got, ok := Nearest(typed, names); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", typed, got, ok, want)
		}
	}
}

func TestNamesOfKindsAndRules(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{Text: "text", Email: "email", Enum: "enum", Clearable: "yes", IfAllowed: "with allow_clear", Never: "no"} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
