package mapping

import (
	"strings"
	"testing"

	"rowbatch/mapping/csvfile"
)

// How a sheet holds a cell decides what may be said of its text.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name, forms string
		cells       []string
		blanks      []string
		want        string
	}{
		{"typed text is no damage", "tt", []string{"12-Oct", "555-0100"}, nil, "firstName=12-Oct | primaryPhone=555-0100"},
		{"a lost phone number is, in a text too", "tt", []string{"1.5E+3", "4.15E+09"}, nil, "firstName=1.5E+3 | #spreadsheet_damage"},
		{"typed words for no value are", "tt", []string{"null", "REMOVE"}, nil, "primaryPhone! | #no_value_word"},
		{"a truth value is no phone number", "tb", []string{"Ada", "TRUE"}, nil, "firstName=Ada | #spreadsheet_damage"},
		{"an amount is no phone number", "aa", []string{"1,234", "4,930,555"}, nil, "firstName=1,234 | #spreadsheet_damage"},
		{"a truth value is text elsewhere", "b ", []string{"TRUE", ""}, nil, "firstName=TRUE"},
		{"numbers where digits matter", "df", []string{"2026-01-02", "1.5"}, nil, "firstName=2026-01-02 | #spreadsheet_damage"},
		{"no number at all", "e ", []string{"#N/A", ""}, nil, "#spreadsheet_damage"},
		{"a word for blank comes before damage", "e ", []string{"#N/A", ""}, []string{"#N/A"}, ""},
		{"what is blank and merged", "m ", []string{"", ""}, []string{"-"}, "#spreadsheet_damage"},
		{"what was marked in an earlier copy", "r ", []string{"#DAMAGED! 0.333", ""}, nil, "#spreadsheet_damage"},
		{"the mark alone, in a file of text", "", []string{"#DAMAGED! 0.333", ""}, nil, "#spreadsheet_damage"},
	} {
		m := compiled(t, "id,firstName,primaryPhone", CompileOptions{Blanks: c.blanks, Places: []string{"S!A", "S!B", "S!C"}})
		row := csvfile.Row{Line: 7, Cells: append([]string{"1"}, c.cells...)}
		if c.forms != "" {
			row.Forms = "n" + c.forms
		}
		mapped := m.RowSince(row, nil)
		for _, p := range mapped.Problems {
			if !strings.HasPrefix(p.Cell, "S!") || !strings.HasSuffix(p.Cell, "7") {
				t.Errorf("%s: the problem stands in %q", c.name, p.Cell)
			}
			if held := p.Held; held != nil && (held.Text == "" || strings.HasPrefix(held.Text, spoiltMark) && c.forms != "") {
				t.Errorf("%s: a record may hold %q", c.name, held.Text)
			}
		}
		if got := show(mapped); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
