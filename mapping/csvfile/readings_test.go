package csvfile

import (
	"strings"
	"testing"
)

// A line is shown as it reads in each encoding that makes words of it, the right one
// among them, and not in those that make none.
func TestReadings(t *testing.T) {
	for _, c := range []struct{ text, written, not string }{
		{"987001,Jürgens-Façade", "windows-1252", "macintosh cp850 cp437 windows-1251 windows-1253 shift_jis gbk big5 euc-kr"},
		{"987001,Jürgens-Façade", "macintosh", "windows-1252 windows-1250 windows-1251 gbk"},
		{"987001,Jürgens-Façade", "cp850", "windows-1252 windows-1250 gbk"},
		{"987001,Jürgens", "cp437", "windows-1252"},
		{"987001,Łódź Świerk", "iso-8859-2", "windows-1252 windows-1250"},
		{"987001,Łódź Świerk", "windows-1250", "windows-1252 iso-8859-2"},
		{"987001,Иванов Пётр", "windows-1251", "windows-1252 cp850"},
		{"987001,Παπαδόπουλος", "windows-1253", "macintosh cp850"},
		{"987001,Şahin Çağrı", "windows-1254", "macintosh cp850 gbk"},
		{"987001,山田太郎", "shift_jis", "windows-1252 macintosh"},
		{"987001,王小明", "gbk", "windows-1252 macintosh"},
		{"987001,王小明", "big5", "windows-1252 macintosh"},
		{"987001,김철수", "euc-kr", "windows-1252 macintosh"},
		{"987001,O’Brien – “Café” €5", "windows-1252", "macintosh cp850 iso-8859-2 windows-1251"},
		{"987001,CAFÉ MÜNCHEN", "macintosh", "windows-1252 windows-1250"},
	} {
		e, name, err := encodingOf(c.written)
		if err != nil || name != c.written {
			t.Fatal(name, err)
		}
		line, err := e.NewEncoder().String(c.text)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, r := range readings([]byte(line + "\r\n")) {
			found[r.name] = r.text
		}
		if found[c.written] != c.text {
			t.Errorf("%s in %s reads %q", c.text, c.written, found[c.written])
		}
		for name := range strings.FieldsSeq(c.not) {
			if found[name] != "" {
				t.Errorf("%s, written in %s, is shown as %s: %q", c.text, c.written, name, found[name])
			}
		}
	}
}
