package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/mapping/csvfile"
)

type kept struct{ rows []string }

func (k *kept) Append(row csvfile.Row, _ *Base, _ []string) error {
	k.rows = append(k.rows, fmt.Sprintf("%d %s", row.Line, strings.Join(row.Cells, "|")))
	return nil
}

// checked runs Check over a text whose headings are fields.
func checked(t testing.TB, text string, file *File, o CheckOptions, sink Sink) (*Checked, error) {
	t.Helper()
	in := input(t, text)
	m, err := Compile(schema(), in.Heading(), CompileOptions{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return Check(in, m, sink, o)
}

// verdicts writes, for each row, OK, the trouble between rows, or "bad".
func verdicts(c *Checked) string {
	var parts []string
	for n := range c.Rows {
		text := "ok"
		if p := c.Problem(n); p != nil {
			text = p.Code
		} else if !c.OK(n) {
			text = "bad"
		}
		if c.More(n) {
			text += "+"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestCheckAcrossRows(t *testing.T) {
	const oldNew = "key: {column: Old, field: reference}\ncolumns: {New: reference}"
	for _, c := range []struct {
		name, text, file string
		options          CheckOptions
		want             string
	}{
		{"clean", "id,firstName\n1,a\n2,b\n3,\n", "", CheckOptions{}, "ok ok ok"},
		{"duplicates", "id,firstName\n1,a\n2,b\n 1 ,c\n1,d\n", "", CheckOptions{}, "duplicate_row ok duplicate_row duplicate_row"},
		{"a bad row counts", "id,title\n1,Mr\n1,Prof\n", "", CheckOptions{}, "duplicate_row duplicate_row"},
		{"rows without a key do not clash", "id,firstName\n,a\n,b\nx,c\nx,d\n", "", CheckOptions{}, "bad bad bad bad"},
		{"references differ by a byte", "reference,firstName\nA,a\na,b\nA,c\n", "", CheckOptions{}, "duplicate_row ok duplicate_row"},
		{"allowed", "id,title\n1,Mr\n2,Mr\n1,Mr\n1,Prof\n2,Prof\n", "", CheckOptions{AllowDuplicates: true}, "ok+ ok ok bad bad"},
		{"allowed thrice", "id,title\n1,Mr\n1,Prof\n1,Mr\n", "", CheckOptions{AllowDuplicates: true}, "ok+ bad+ ok"},
		{"one new reference twice", "id,reference\n1,A\n2,B\n3,A\n4,A\n", "", CheckOptions{}, "reference_chain ok reference_chain reference_chain"},
		{"of one customer", "id,reference\n1,A\n1,A\n", "", CheckOptions{AllowDuplicates: true}, "ok+ ok"},
		{"of one customer and another", "id,reference\n1,A\n1,A\n2,A\n", "", CheckOptions{AllowDuplicates: true}, "reference_chain reference_chain reference_chain"},
		{"another's old reference", "Old,New\nA,B\nB,C\nD,D\n", oldNew, CheckOptions{}, "reference_chain ok ok"},
		{"swapped", "Old,New\nA,B\nB,A\n", oldNew, CheckOptions{}, "reference_chain reference_chain"},
		{"own, and another's new", "Old,New\nA,A\nB,A\nC,\n", oldNew, CheckOptions{}, "reference_chain reference_chain ok"},
		{"another's of a bad row", "Old,New\nA,B\nB, x\n", oldNew, CheckOptions{}, "reference_chain bad"},
		{"an id is no reference", "id,reference\n1,2\n2,1\n", "", CheckOptions{}, "ok ok"},
		{"own parent", "id,parentId\n1,1\n2,1\n", "", CheckOptions{}, "bad_value ok"},
		{"cycle", "id,parentId\n9,1\n1,2\n2,3\n3,1\n4,9\n5,77\n", "", CheckOptions{}, "ok bad_value bad_value bad_value ok ok"},
		{"a cleared parent", "id,parentId\n1,2\n2,REMOVE\n", "", CheckOptions{}, "ok ok"},
		{"a cycle that a later row undoes", "id,parentId\n1,2\n2,1\n2,3\n", "", CheckOptions{AllowDuplicates: true}, "bad_value bad_value+ ok"},
		{"a cycle of second parents", "id,parentId\n1,8\n2,9\n1,2\n2,1\n", "", CheckOptions{AllowDuplicates: true}, "ok ok bad_value bad_value"},
		{"between two cycles", "id,parentId\n1,2\n2,1\n2,3\n3,4\n4,3\n", "", CheckOptions{AllowDuplicates: true}, "bad_value bad_value+ ok bad_value bad_value"},
		{"two ways to one parent", "id,parentId\n1,2\n1,3\n2,4\n3,4\n4,5\n", "", CheckOptions{AllowDuplicates: true}, "ok+ ok ok ok ok"},
		{"a constant parent", "id\n1\n2\n", "constants: {parentId: 2}", CheckOptions{}, "ok bad_value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file *File
			if c.file != "" {
				file = parsed(t, c.file)
			}
			got, err := checked(t, c.text, file, c.options, nil)
			if err != nil {
				t.Fatal(err)
			}
			if v := verdicts(got); v != c.want {
				t.Errorf("got %q, want %q", v, c.want)
			}
			if want := got.Rows - strings.Count(c.want, "ok"); got.Rejected != want {
				t.Errorf("%d rejected, want %d", got.Rejected, want)
			}
		})
	}
}

func TestCheckNamesTheOtherLine(t *testing.T) {
	got, err := checked(t, "id,reference\n1,\"A\nB\"\n2,C\n2,D\n3,E\n4,E\n", nil, CheckOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "line 5", 2: "line 4", 3: "line 7", 4: "line 6"} {
		if p := got.Problem(n); p == nil || !strings.Contains(p.Text, want) {
			t.Errorf("row %d: got %v, want %s", n, p, want)
		}
	}
}

func TestCheckKeepsRows(t *testing.T) {
	sink := &kept{}
	text := "id,rb_key,firstName\n1,x,'=a\n , ,\n2,x\n,,\n" + strings.Repeat("9,x,b\n", 4) + "\n8,x,c\n"
	got, err := checked(t, text, nil, CheckOptions{AllowDuplicates: true}, sink)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2 1|=a", "4 2", "6 9|b", "7 9|b", "8 9|b", "9 9|b", "11 8|c"}
	if diff := cmp.Diff(want, sink.rows); diff != "" {
		t.Error(diff)
	}
	if got.BlankRows != 2 || got.Damaged != 1 || got.Problem(1).Code != "ragged_row" || got.Line(6) != 11 {
		t.Errorf("got %+v", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	var codes strings.Builder
	codes.WriteString("id,salesTrackingCode.Region\n")
	for n := range mostUses + 1 {
		fmt.Fprintf(&codes, "%d,c%d\n", n+1, n)
	}
	for _, c := range []struct {
		name, text string
		line       int
		says       []string
	}{
		{"no rows", "id,firstName\n", 0, []string{"no rows"}},
		{"blank rows", "id,firstName\n,\n , \n", 0, []string{"no rows"}},
		{"damage over a fifth", "id,firstName\n1,a\n2\n3,#N/A\n4,a\n5,a\n", 3, []string{"2 of 5 rows"}},
		{"an unclosed quote", "id,firstName\n1,a\n2,\"b\n3,c\n", 3, []string{"never closed"}},
		{"too many codes", codes.String(), 0, []string{"10000 different codes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := checked(t, c.text, nil, CheckOptions{}, nil)
			refused(t, err, c.line, append(c.says, "in.csv")...)
		})
	}
}

func TestCheckTakesSomeDamage(t *testing.T) {
	for _, text := range []string{
		"id,firstName\n1,#N/A\n2,b\n3,c\n4,d\n5,e\n",           // a fifth is not over a fifth
		"rb_outcome,id,firstName\nrejected,1,#N/A\nfailed,2\n", // a failed.csv
	} {
		if _, err := checked(t, text, nil, CheckOptions{}, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCheckGathersWarningsAndCodes(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,companyName,salesTrackingCode.Region,title\n")
	for n := range 25 {
		fmt.Fprintf(&text, "%d,%s,code %d,\n", n+1, strings.Repeat("c", 51), n%3)
	}
	text.WriteString("77,,from a bad row,Prof\n78,,REMOVE,\n")
	got, err := checked(t, text.String(), nil, CheckOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 20 || got.WarningCount != 25 || got.Warnings[1].Line != 3 {
		t.Errorf("%d of %d warnings: %v", len(got.Warnings), got.WarningCount, got.Warnings)
	}
	const family = "salesTrackingCode."
	want := []Use{{family, "Region", "code 0"}, {family, "Region", "code 1"}, {family, "Region", "code 2"}, {family, "Region", ""}}
	if diff := cmp.Diff(want, got.Codes()); diff != "" {
		t.Error(diff)
	}
}

type fullDisk struct{ error }

func (f fullDisk) Append(csvfile.Row, *Base, []string) error { return f.error }

func TestCheckEndsWithTheSink(t *testing.T) {
	full := errors.New("the disk is full")
	if _, err := checked(t, "id,firstName\n1,a\n", nil, CheckOptions{}, fullDisk{full}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}
