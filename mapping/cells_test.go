package mapping

import (
	"strings"
	"testing"
)

func TestRowCells(t *testing.T) {
	long := strings.Repeat("x", 51)
	for _, c := range []struct{ column, cell, want string }{
		{"firstName", "Ada", "firstName=Ada"},
		{"firstName", " Ada ", "firstName=Ada"},
		{"firstName", "\u200b\ufeffAda\u00a0\u3164", "firstName=Ada"},
		{"firstName", "\u200b", ""},
		{"firstName", "\u200d \u200c", ""},
		{"firstName", "नर्\u200d", "firstName=नर्\u200d"},
		{"firstName", "☎\ufe0f", "firstName=☎\ufe0f"},
		{"firstName", "REMOVE\u200b", "#clear_word_case"},
		{"firstName", ` \REMOVE `, "firstName=REMOVE"},
		{"firstName", "007", "firstName=007"},
		{"firstName", " \t", ""},
		{"firstName", "REMOVE", "firstName!"},
		{"firstName", "remove", "#clear_word_case"},
		{"firstName", " REMOVE ", "#clear_word_case"},
		{"firstName", "“REMOVE”", "#clear_word_case"},
		{"firstName", "[remove]", "#clear_word_case"},
		{"firstName", "RЕMOVE", "#clear_word_case"},
		{"firstName", "ＲＥＭＯＶＥ", "#clear_word_case"},
		{"firstName", `\“REMOVE”`, "firstName=“REMOVE”"},
		{"firstName", "REMOVED", "firstName=REMOVED"},
		{"firstName", "Re-Move", "firstName=Re-Move"},
		{"firstName", `\REMOVE`, "firstName=REMOVE"},
		{"firstName", `\remove`, "firstName=remove"},
		{"firstName", `\\REMOVE`, `firstName=\REMOVE`},
		{"firstName", `\x`, `firstName=\x`},
		{"firstName", `\`, `firstName=\`},
		{"firstName", `\#N/A`, "firstName=#N/A"},
		{"firstName", `\'=x`, "firstName='=x"},
		{"firstName", "'=x", "firstName==x"},
		{"firstName", "''=x", "firstName='=x"},
		{"firstName", "'0049", "firstName=0049"},
		{"firstName", "'t Hooft", "firstName='t Hooft"},
		{"firstName", "'-", "firstName=-"},
		{"primaryPhone", `="0049301234"`, "primaryPhone=0049301234"},
		{"primaryPhone", `'="0049301234"`, "primaryPhone=0049301234"},
		{"primaryPhone", "'0049301234", "primaryPhone=0049301234"},
		{"firstName", `=""`, ""},
		{"firstName", `="say ""a"""`, `firstName=say "a"`},
		{"firstName", `="REMOVE"`, "#clear_word_case"},
		{"firstName", `="N/A"`, "#no_value_word"},
		{"firstName", `="a"&"b"`, "#spreadsheet_damage"},
		{"firstName", "=", "firstName=="},
		{"firstName", "=x", "#spreadsheet_damage"},
		{"firstName", `\=x`, "firstName==x"},
		{"firstName", "#N/A", "#spreadsheet_damage"},
		{"firstName", " #REF! ", "#spreadsheet_damage"},
		{"firstName", "#BEZUG!", "#spreadsheet_damage"},
		{"firstName", "#¿NOMBRE?", "#spreadsheet_damage"},
		{"firstName", "#DIV/0!", "#spreadsheet_damage"},
		{"firstName", "#NV", "#spreadsheet_damage"},
		{"firstName", "#####", "#spreadsheet_damage"},
		{"firstName", "Err:502", "#spreadsheet_damage"},
		{"firstName", "#1!", "firstName=#1!"},
		{"firstName", "#", "firstName=#"},
		{"firstName", "#hello!", "firstName=#hello!"},
		{"firstName", "1.23E+11", "#spreadsheet_damage"},
		{"firstName", "12-Oct", "#spreadsheet_damage"},
		{"firstName", "21. Mrz", "#spreadsheet_damage"},
		{"firstName", "12. Jän.", "#spreadsheet_damage"},
		{"firstName", "2. Gen", "firstName=2. Gen"},
		{"firstName", "21. Stock", "firstName=21. Stock"},
		{"firstName", "7. Max", "firstName=7. Max"},
		{"firstName", "Oct-12", "#spreadsheet_damage"},
		{"firstName", "5-mai", "#spreadsheet_damage"},
		{"firstName", "12-OCT", "firstName=12-OCT"},
		{"firstName", "ABC-12", "firstName=ABC-12"},
		{"firstName", "May", "firstName=May"},
		{"firstName", "Oct-2012", "firstName=Oct-2012"},
		{"firstName", "CafÃ©", "#spreadsheet_damage"},
		{"firstName", "VoilÃ\u00a0", "#spreadsheet_damage"},
		{"firstName", `\CafÃ©`, "firstName=CafÃ©"},
		{"firstName", "Café", "firstName=Café"},
		{"firstName", "IRMÃ", "firstName=IRMÃ"},
		{"firstName", "Zoë Ã©", "firstName=Zoë Ã©"},
		{"firstName", "N/A", "#no_value_word"},
		{"firstName", "null", "#no_value_word"},
		{"firstName", "Null", "firstName=Null"},
		{"firstName", "Nan", "firstName=Nan"},
		{"firstName", " - ", "#no_value_word"},
		{"firstName", `\N/A`, "firstName=N/A"},
		{"firstName", `\N`, "#no_value_word"},
		{"firstName", `\\N`, `firstName=\N`},
		{"firstName", `\-`, "firstName=-"},
		{"firstName", "{{name}}", "#no_value_word"},
		{"firstName", "[object Object]", "#no_value_word"},
		{"firstName", "#N/A N/A", "#no_value_word"},
		{"firstName", "None such", "firstName=None such"},
		{"primaryPhone", "TRUE", "#spreadsheet_damage"},
		{"primaryPhone", "4155550123.0", "#spreadsheet_damage"},
		{"primaryPhone", "5.55E3", "#spreadsheet_damage"},
		{"primaryPhone", "none", "#bad_value"},
		{"primaryPhone", `\TRUE`, "#bad_value"},
		{"primaryPhone", `\4155550123.0`, "primaryPhone=4155550123.0"},
		{"primaryPhone", "555.0100", "primaryPhone=555.0100"},
		{"reference", "true", "reference=true"},
		{"firstName", "a\nb", "firstName=a\nb"},
		{"firstName", "a\x07b", "#bad_value"},
		{"firstName", "a\u0085b", "#bad_value"},
		{"firstName", "M\uFFFDller", "#bad_value"},
		{"firstName", long, "#too_long"},
		{"firstName", strings.Repeat("é", 50), "firstName=" + strings.Repeat("é", 50)},
		{"firstName", strings.Repeat("😀", 26), "#too_long"},
		{"primaryPhone", "1.23E+11", "#spreadsheet_damage"},
		{"primaryPhone", "1,23e+11", "#spreadsheet_damage"},
		{"primaryPhone", `\1.23E+11`, "primaryPhone=1.23E+11"},
		{"primaryPhone", "+49 (0)30 1", "primaryPhone=+49 (0)30 1"},
		{"primaryPhone", "12\n34", "#bad_value"},
		{"primaryPhone", "12\u200B34", "#bad_value"},
		{"reference", "12E5", "reference=12E5"},
		{"reference", " AC-1", "reference=AC-1"},
		{"reference", "AC\u200B-1", "#bad_value"},
		{"title", "dr", "title=Dr"},
		{"title", " Ms ", "title=Ms"},
		{"title", "Prof", "#not_allowed_value"},
		{"primaryEmail", "ada@example.com", "primaryEmail=ada@example.com"},
		{"primaryEmail", " ada@example.com; books@example.com ", "primaryEmail=ada@example.com; books@example.com"},
		{"primaryEmail", "ada@example.com;", "#bad_value"},
		{"primaryEmail", "mailto:ada@example.com", "primaryEmail=ada@example.com"},
		{"primaryEmail", "'ada@example.com'; “books@example.com”", "primaryEmail=ada@example.com; books@example.com"},
		{"primaryEmail", `"ada@example.com"`, "primaryEmail=ada@example.com"},
		{"primaryEmail", "<MAILTO:ada@example.com>", "primaryEmail=ada@example.com"},
		{"primaryEmail", "«ada@example.com»", "primaryEmail=ada@example.com"},
		{"primaryEmail", "'ada@example.com", "#bad_value"},
		{"primaryEmail", "ada@example.com'", "#bad_value"},
		{"primaryEmail", "ada@example.com”", "#bad_value"},
		{"primaryEmail", "mailto:ada@example.com?subject=x", "#bad_value"},
		{"primaryEmail", "Ada: ada@example.com", "#bad_value"},
		{"primaryEmail", "o'neil@example.com", "primaryEmail=o'neil@example.com"},
		{"primaryEmail", "ada", "#bad_value"},
		{"primaryEmail", "ada@example", "#bad_value"},
		{"primaryEmail", "a@b@example.com", "#bad_value"},
		{"primaryEmail", "a@example.com, b@example.com", "#bad_value"},
		{"primaryEmail", "Ada <ada@example.com>", "#bad_value"},
		{"primaryEmail", "ada@example.com.", "#bad_value"},
		{"primaryEmail", "@example.com", "#bad_value"},
		{"primaryEmail", strings.Repeat("a", 250) + "@example.com", "#too_long"},
		{"primaryEmail", "REMOVE", "#not_clearable"},
		{"parentId", " 12\u00A0", "parentId=12"},
		{"parentId", "012", "#bad_value"},
		{"parentId", "0", "#bad_value"},
		{"parentId", "-1", "#bad_value"},
		{"parentId", "12345678901234567890", "#bad_value"},
		{"parentId", "REMOVE", "parentId!"},
		{"quickBooksId", "REMOVE", "#not_clearable"},
		{"salesTrackingCode.Sales Tracking Code 1", "EMB", "salesTrackingCode.Sales Tracking Code 1=EMB"},
		{"Sales_Tracking-Code. Region ", "REMOVE", "salesTrackingCode.Region!"},
	} {
		m := compiled(t, "id,"+c.column, CompileOptions{})
		if got := show(m.Row([]string{"1", c.cell})); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.column, c.cell, got, c.want)
		}
	}
}

func TestRowKey(t *testing.T) {
	for _, c := range []struct{ column, cell, key, want string }{
		{"id", "1234", "1234", ""},
		{"id", " 1234 ", "1234", ""},
		{"id", "", "", "#missing_key"},
		{"id", "  ", "", "#missing_key"},
		{"id", "007", "", "#bad_id"},
		{"id", "1234.0", "", "#bad_id"},
		{"id", "1,234", "", "#bad_id"},
		{"id", "abc", "", "#bad_id"},
		{"id", "99999999999999999999", "", "#bad_id"},
		{"id", "1.23E+11", "", "#spreadsheet_damage"},
		{"id", "REMOVE", "", "#not_clearable"},
		{"reference", "AC 100", "AC 100", ""},
		{"reference", "AC-100 ", "", "#bad_value"},
		{"reference", "#N/A", "", "#spreadsheet_damage"},
		{"reference", `\#N/A`, "#N/A", ""},
		{"reference", "remove", "", "#clear_word_case"},
		{"reference", strings.Repeat("x", 256), "", "#too_long"},
	} {
		m := compiled(t, c.column+",firstName", CompileOptions{})
		got := m.Row([]string{c.cell, ""})
		if got.Key != c.key || show(got) != c.want {
			t.Errorf("%s %q: got key %q %q, want %q %q", c.column, c.cell, got.Key, show(got), c.key, c.want)
		}
	}
}

func TestRowGathersProblemsAndWarnings(t *testing.T) {
	m := compiled(t, "id,firstName,companyName,title", CompileOptions{})
	got := m.Row([]string{"x", "#N/A", strings.Repeat("c", 51), "Prof"})
	if want := "companyName=" + strings.Repeat("c", 51) + " | #bad_id | #spreadsheet_damage | #not_allowed_value"; show(got) != want {
		t.Errorf("got %q", show(got))
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "51 characters") {
		t.Errorf("warnings %q", got.Warnings)
	}
	if p := got.Problems[2]; p.Column != "title" || !strings.Contains(p.Text, "Mr, Mrs, Ms, Miss, Dr") {
		t.Errorf("problem %+v", p)
	}
}
