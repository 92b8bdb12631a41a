package xlsxfile

import "testing"

func TestNumbersAsShown(t *testing.T) {
	for _, c := range []struct {
		format, number, want string
		form                 Form
	}{
		{"General", "987012", "987012", Whole},
		{"General", "-3.5", "-3.5", Fraction},
		{"General", "0.28999999999999998", "0.29", Fraction},
		{"General", "1E-3", "0.001", Fraction},
		{"General", "4.9305550112E+10", "49305550112", Whole},
		{"General", "999999999999999", "999999999999999", Whole},
		{"General", "1000000000000000", "", Lost},
		{"General", "9007199254740993", "", Lost},
		{"General", "1e+21", "", Lost},
		{"General", "1E-12", "", Unshown},
		{"General", "0x10", "", Unreadable},
		{"General", "NaN", "", Unreadable},
		{"General", "Inf", "", Unreadable},
		{"General", "1_000", "", Unreadable},
		{"General", "007", "7", Whole},
		{`General" pcs"`, "5", "5 pcs", Whole},
		{"@", "987012", "987012", Whole},
		{"0", "5", "5", Whole},
		{"0", "5.4", "", Unshown},
		{"00000", "123", "00123", Whole},
		{"00000", "1234567", "1234567", Whole},
		{"00000", "-12", "-00012", Whole},
		{"000\\-00\\-0000", "12345678", "012-34-5678", Whole},
		{"[<=9999999]###-####;(###) ###-####", "5551234", "555-1234", Whole},
		{"[<=9999999]###-####;(###) ###-####", "4155551234", "(415) 555-1234", Whole},
		{"[<=9999999]###-####;(###) ###-####", "-5", "", OddFormat},
		{`"AC-"0000`, "17", "AC-0017", Whole},
		{`\A\C0`, "17", "AC17", Whole},
		{`+0`, "4930555", "+4930555", Whole},
		{"0%", "0.25", "25%", Fraction},
		{"0%", "5", "500%", Amount},
		{"#,##0", "987", "987", Whole},
		{"0%", "0.255", "", Unshown},
		{"0.0%", "0.255", "25.5%", Fraction},
		{"0.00%", "0.5", "50.00%", Fraction},
		{"#,##0", "1234567", "1,234,567", Amount},
		{"#,##0", "0", "0", Whole},
		{"#,##0.00", "1234.5", "1,234.50", Fraction},
		{"#,##0.00", "1234.567", "", Unshown},
		{"0,000", "7", "0,007", Amount},
		{"#", "0", "", Unshown},
		{"0.0#", "2.5", "2.5", Fraction},
		{"#.##", "0.5", ".5", Fraction},
		{".00", "12.5", "12.50", Fraction},
		{"0,", "5000", "5", Amount},
		{"0,", "5500", "", Unshown},
		{`[$€-407] #,##0.00`, "1234.5", "€ 1,234.50", Fraction},
		{`#,##0.00\ "€"`, "1234.5", "1,234.50 €", Fraction},
		{`"$"#,##0.00_);("$"#,##0.00)`, "-5", "($5.00)", Whole},
		{`"$"#,##0.00`, "-5", "-$5.00", Whole},
		{`_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)`, "12", "$12.00", Whole},
		{"0;[Red]-0", "-5", "-5", Whole},
		{"0;[Red]0", "-5", "", Unshown},
		{";;;", "5", "", Unshown},
		{"0;-0;", "0", "", Unshown},
		{`"TRUE";"TRUE";"FALSE"`, "1", "", Unshown},
		{"#\u00A0##0", "1234", "", OddFormat},
		{"0/10", "15", "", OddFormat},
		{"0,,", "1000000", "", OddFormat},
		{"No. 0", "5", "", OddFormat},
		{`#,##0_ ;\-#,##0\ `, "-1234", "-1,234", Amount},
		{"0'0", "5", "", OddFormat},
		{`"00"0`, "5", "005", Whole},
		{`[$$-409]0_);\(0\)`, "5", "$5", Whole},
		{"0.00E+00", "10000", "", OddFormat},
		{"# ?/?", "0.5", "", OddFormat},
		{"yyyy-mm-dd", "46024", "2026-01-02", Date},
		{"m/d/yyyy", "46024.5625", "2026-01-02", Date},
		{"yyyy-mm-dd hh:mm", "46024.5", "2026-01-02 12:00", Date},
		{"[$-409]m/d/yy h:mm:ss AM/PM;@", "46024.999999", "2026-01-03 00:00:00", Date},
		{`yyyy"年"m"月"d"日"`, "46024", "2026-01-02", Date},
		{"dddd, mmmm dd, yyyy", "46024", "2026-01-02", Date},
		{"yyyy-mm-dd", "1", "1900-01-01", Date},
		{"yyyy-mm-dd", "59", "1900-02-28", Date},
		{"yyyy-mm-dd", "60", "", NoSuchDay},
		{"yyyy-mm-dd", "61", "1900-03-01", Date},
		{"yyyy-mm-dd", "0", "", NoSuchDay},
		{"yyyy-mm-dd", "2958465", "9999-12-31", Date},
		{"yyyy-mm-dd", "2958466", "", NoSuchDay},
		{"yyyy-mm-dd", "-1", "", OddFormat},
		{"yyyy-mm-dd", "1e300", "", NoSuchDay},
		{"d-mmm", "46214", "", PartOfDate},
		{"mmm-yy", "46214", "", PartOfDate},
		{"dddd", "46214", "", PartOfDate},
		{"h:mm", "0.5", "12:00", Date},
		{"h:mm", "46024.5", "", PartOfDate},
		{"mm:ss", "0.01", "", PartOfDate},
		{"[h]:mm:ss", "1.5", "36:00:00", Date},
		{"[h]:mm", "0.25", "6:00", Date},
		{"[mm]:ss", "0.25", "", OddFormat},
		{"[h]:mm", "1e17", "", PartOfDate},
	} {
		var f *format
		if c.format != "General" {
			f = parseFormat(c.format)
		}
		got, form := f.showNumber(c.number, false)
		if form != c.form || form.Damage() == "" && got != c.want {
			t.Errorf("%s under %s is shown %q %c, want %q %c", c.number, c.format, got, form, c.want, c.form)
		}
		if form.Damage() != "" && got != c.number {
			t.Errorf("%s under %s: damage shows %q", c.number, c.format, got)
		}
	}
}

func TestDatesFrom1904(t *testing.T) {
	for number, want := range map[string]string{"0": "1904-01-01", "44562": "2026-01-02"} {
		if got, form := parseFormat("yyyy-mm-dd").showNumber(number, true); got != want || form != Date {
			t.Errorf("%s is %s %c, want %s", number, got, form, want)
		}
	}
}

func TestTextsAsShown(t *testing.T) {
	for _, c := range []struct {
		format, want string
		form         Form
	}{
		{"0.00", "x 1", Typed},
		{"@", "x 1", Typed},
		{`"AC-"@`, "AC-x 1", Typed},
		{`0;-0;0;@" pcs"`, "x 1 pcs", Typed},
		{`0;-0;0;"hidden"`, "", Unshown},
		{";;;", "", Unshown},
	} {
		if got, form := parseFormat(c.format).showText("x 1"); form != c.form || form == Typed && got != c.want {
			t.Errorf("under %s: %q %c, want %q %c", c.format, got, form, c.want, c.form)
		}
	}
}

func TestISODates(t *testing.T) {
	for text, want := range map[string]string{"2026-01-02": "2026-01-02", "2026-01-02T00:00:00": "2026-01-02", "2026-01-02T12:30:00Z": "2026-01-02 12:30",
		"2026-01-02T12:30:05.5": "2026-01-02 12:30:05", "12:30": "", "2026-02-30": "", "": ""} {
		if got, form := isoMoment(text); want == "" != (form == Unreadable) || want != "" && got != want {
			t.Errorf("%s is %s %c, want %s", text, got, form, want)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, code := range []string{"General", "#,##0.00_);[Red](#,##0.00)", "[<=9]0;[>9]\"a\"@", "[h]:mm:ss.000", "yyyy\\-mm", "[$-F800]dddd", `"`, "\\", "[", "0*"} {
		f.Add(code, "46024.5")
	}
	f.Fuzz(func(t *testing.T, code, number string) {
		format := parseFormat(code)
		format.showText("x")
		if shown, form := format.showNumber(number, len(code)%2 == 0); form.Damage() != "" && shown != number {
			t.Errorf("%q under %q: damage shows %q", number, code, shown)
		}
	})
}
