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

func (k *kept) Append(row csvfile.Row, _ *Base, _, _ []string) error {
	k.rows = append(k.rows, fmt.Sprintf("%d %s", row.Line, strings.Join(row.Cells, "|")))
	return nil
}

// checked runs Check over a text whose headings are fields.
func checked(t testing.TB, text string, file *File, o CheckOptions, sink Sink) (*Checked, error) {
	t.Helper()
	in := input(t, text)
	m, err := Compile([]Schema{schema()}, in.Heading(), CompileOptions{File: file})
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
		{"another's of a bad row", "Old,New\nA,B\nB,x\x07\n", oldNew, CheckOptions{}, "reference_chain bad"},
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
	got, err := checked(t, text, nil, CheckOptions{AllowDuplicates: true}, sink.Append)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2 1|'=a", "4 2", "6 9|b", "7 9|b", "8 9|b", "9 9|b", "11 8|c"}
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
		{"damage over a fifth of fifty", "id,firstName,primaryPhone\n1,a\n2,b,#N/A\n" + strings.Repeat("3,a,\n", 37) + strings.Repeat("4,a,1.23E+11\n", 11), 0,
			[]string{"1 of 50 rows do not have the heading's 3 cells: line 2 has 2", `12 of 50 rows have cells that a spreadsheet has damaged: line 3, column C "primaryPhone": "#N/A"`}},
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
		"id,firstName\n1,#N/A\n2\n3,c\n4,d\n",                                 // few rows
		"id,firstName\n" + strings.Repeat("1,#N/A\n2,b\n3,c\n4,d\n5,e\n", 10), // a fifth is not over a fifth
		"rb_outcome,id,firstName\nrejected,1,#N/A\nfailed,2\n",                // a failed.csv
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

func TestCheckEndsWithTheSink(t *testing.T) {
	full := errors.New("the disk is full")
	if _, err := checked(t, "id,firstName\n1,a\n", nil, CheckOptions{}, func(csvfile.Row, *Base, []string, []string) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func checkedAs(t testing.TB, command, text, file string, o CheckOptions, sink Sink) *Checked {
	t.Helper()
	in := input(t, text)
	m, err := mapperOf(command, strings.Join(in.Heading(), ","), CompileOptions{File: optional(t, file)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Check(in, m, sink, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCheckAcrossActions(t *testing.T) {
	const byBoth = "key: {hold: {column: Ref, field: reference}, update: {column: id, field: id}}\ncolumns: {New: reference}"
	allow := CheckOptions{AllowDuplicates: true}
	for _, c := range []struct {
		name, command, text, file string
		options                   CheckOptions
		want                      string
	}{
		{"one customer in two actions", "run", "action,id,title\nupdate,1,Mr\nhold,1,\nupdate,2,Mr\n", "", CheckOptions{}, "ok+ ok ok"},
		{"twice in one of them", "run", "action,id,title\nupdate,1,Mr\nhold,1,\nHold,1,\nupdate,2,Mr\n", "", CheckOptions{}, "ok duplicate_row duplicate_row ok"},
		{"which may be", "run", "action,id,title\nupdate,1,Mr\nhold,1,\nhold,1,\nupdate,2,Mr\n", "", allow, "ok+ ok+ ok ok"},
		{"the later one rejected", "run", "action,id,title\nupdate,1,Mr\nupdate,2,Prof\nhold,1,x\n", "", CheckOptions{}, "ok bad bad"},
		{"an unknown action is nobody's row", "run", "action,id,title\nupdate,1,Mr\nupdte,1,Mr\n", "", CheckOptions{}, "ok bad"},
		{"customers of two systems", "run", "action,reference,customer_id,zip,title\nupdate,A,,,Mr\npatch,,A,1,\nupdate,B,,,Mr\n", "", CheckOptions{}, "ok ok ok"},
		{"a reference that another action's row is keyed by", "run", "action,id,Ref,New\nupdate,1,,B\nhold,,B,\nupdate,2,,C\n", byBoth, CheckOptions{}, "reference_chain+ ok+ ok"},
		{"named in two ways", "run", "action,id,Ref,New\nupdate,1,,\nhold,,B,\nhold,,C,\nupdate,x,,\n", byBoth, CheckOptions{}, "ok+ ok+ ok bad"},
		{"in rejected rows only", "run", "action,id,Ref,New\nupdate,1,,\nhold,,B,x\nupdate,2,,\n", byBoth, CheckOptions{}, "ok bad ok"},
		{"one system is, the other not", "run", "action,id,customer_id,subscription_id,zip,title\npatch,,1,,2,\nupdate,5,,,,Mr\nupdate,6,,,,Mr\npatch,,,1,2,\n", "", CheckOptions{}, "ok+ ok ok ok"},
		{"a parent in an action without", "run", "action,id,parentId\nupdate,1,2\nhold,2,\nupdate,3,3\n", "", CheckOptions{}, "ok ok bad_value"},
		{"a cycle among holds", "run", "action,id,parentId\nupdate,1,2\nhold,2,\nupdate,2,1\n", "", CheckOptions{}, "bad_value ok bad_value"},
		{"either key", "patch", "customer_id,subscription_id,zip\n1,,2\n,1,2\n,2,2\n", "", CheckOptions{}, "ok+ ok+ ok"},
		{"either key, twice", "patch", "customer_id,subscription_id,zip\n1,,2\n,1,2\n1,,2\n,,3\n", "", CheckOptions{}, "duplicate_row ok duplicate_row bad"},
		{"one of the keys", "patch", "customer_id,subscription_id,zip\n1,,2\n2,,2\n3,4,2\n", "", CheckOptions{}, "ok ok bad"},
		{"a link twice", "latch", "id,hubSpotId,hubSpotCompanyId\n1,7,\n2,,7\n3,7,\n4,8,9\n5,,9\n", "", CheckOptions{}, "already_linked ok already_linked already_linked already_linked"},
		{"a link twice for one customer", "latch", "id,hubSpotId\n1,7\n1,7\n", "", allow, "ok+ ok"},
		{"a cleared link", "latch", "id,hubSpotId\n1,REMOVE\n2,REMOVE\n", "", CheckOptions{}, "ok ok"},
		{"a link is no reference", "latch", "reference,hubSpotId\n7,8\n8,7\n", "", CheckOptions{}, "ok ok"},
		{"links and references", "run", "action,id,hubSpotId,reference\nlatch,1,7,\nupdate,2,,7\nlatch,3,7,\nupdate,4,,7\n", "", CheckOptions{}, "already_linked reference_chain already_linked reference_chain"},
		{"a latch of nothing", "latch", "id,hubSpotId\n1,\n", "", CheckOptions{}, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := checkedAs(t, c.command, c.text, c.file, c.options, nil)
			if v := verdicts(got); v != c.want {
				t.Errorf("got %q, want %q", v, c.want)
			}
		})
	}
}

func TestCheckNamesTheOtherLink(t *testing.T) {
	got := checkedAs(t, "latch", "id,hubSpotId\n1,7\n2,8\n3,7\n", "", CheckOptions{}, nil)
	for n, want := range map[int]string{0: "line 4", 2: "line 2"} {
		if p := got.Problem(n); p == nil || !strings.Contains(p.Text, want) {
			t.Errorf("row %d: got %v, want %s", n, p, want)
		}
	}
}

func TestCheckCountsByAction(t *testing.T) {
	got := checkedAs(t, "run", "action,id,customer_id,subscription_id,title,zip\nupdate,1,,,Mr,\nUPDATE,2,,,Prof,\nhold,1,,,,\npatch,,5,,,1\nsing,,,,,\npatch,,,6,,1\npatch,,7\nupdate,3,,,Mr,\n", "", CheckOptions{}, nil)
	sendable := func(c *Checked, action string) (rows int) {
		for n := range c.Rows {
			if c.Action(n) == action && c.OK(n) {
				rows++
			}
		}
		return rows
	}
	var actions []string
	for n := range got.Rows {
		actions = append(actions, got.Action(n))
	}
	if diff := cmp.Diff([]string{"update", "update", "hold", "patch", "", "patch", "", "update"}, actions); diff != "" {
		t.Error(diff)
	}
	for action, want := range map[string]string{"update": "2 [id]", "hold": "1 [id]", "patch": "2 [customer_id subscription_id]", "latch": "0 []", "sing": "0 []"} {
		if counted := fmt.Sprint(sendable(got, action), " ", got.KeyFields(action)); counted != want {
			t.Errorf("%s: got %s, want %s", action, counted, want)
		}
	}
	if got.Rejected != 3 {
		t.Errorf("%d rejected", got.Rejected)
	}
	one := checkedAs(t, "patch", "customer_id,subscription_id,zip\n,s,1\n1,s,1\n", "", CheckOptions{}, nil)
	if one.Action(1) != "patch" || sendable(one, "patch") != 1 || fmt.Sprint(one.KeyFields("patch")) != "[subscription_id]" {
		t.Errorf("%q, %d sendable, keyed by %v", one.Action(1), sendable(one, "patch"), one.KeyFields("patch"))
	}
}

// secretive keeps rows as they would be written, and what was hidden from them.
type secretive struct{ rows []string }

func (s *secretive) Append(row csvfile.Row, _ *Base, hidden, _ []string) error {
	s.rows = append(s.rows, fmt.Sprintf("%s %q", strings.Join(row.Cells, "|"), hidden))
	return nil
}

func TestCheckMasksWhatItKeeps(t *testing.T) {
	sink := &secretive{}
	got := checkedAs(t, "patch", "customer_id,password,zip\n1,one,a\n2,,b\n3,***,c\n4,four\n5,five,REMOVE\n", "", CheckOptions{}, sink.Append)
	want := []string{`1|***|a ["one"]`, `2||b []`, `3|***|c ["***"]`, `***|*** []`, `5|***|REMOVE ["five"]`}
	if diff := cmp.Diff(want, sink.rows); diff != "" {
		t.Error(diff)
	}
	if v := verdicts(got); v != "ok ok bad ragged_row ok" {
		t.Errorf("got %q", v)
	}
}
