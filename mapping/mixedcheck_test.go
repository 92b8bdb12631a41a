package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/mapping/csvfile"
)

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
	var actions []string
	for n := range got.Rows {
		actions = append(actions, got.Action(n))
	}
	if diff := cmp.Diff([]string{"update", "update", "hold", "patch", "", "patch", "", "update"}, actions); diff != "" {
		t.Error(diff)
	}
	for action, want := range map[string]string{"update": "2 [id]", "hold": "1 [id]", "patch": "2 [customer_id subscription_id]", "latch": "0 []", "sing": "0 []"} {
		if counted := fmt.Sprint(got.Sendable(action), " ", got.KeyFields(action)); counted != want {
			t.Errorf("%s: got %s, want %s", action, counted, want)
		}
	}
	if got.Rejected != 3 {
		t.Errorf("%d rejected", got.Rejected)
	}
	one := checkedAs(t, "patch", "customer_id,subscription_id,zip\n,s,1\n1,s,1\n", "", CheckOptions{}, nil)
	if one.Action(1) != "patch" || one.Sendable("patch") != 1 || fmt.Sprint(one.KeyFields("patch")) != "[subscription_id]" {
		t.Errorf("%q, %d sendable, keyed by %v", one.Action(1), one.Sendable("patch"), one.KeyFields("patch"))
	}
}

// secretive keeps rows as they would be written, and what was hidden from them.
type secretive struct{ rows []string }

func (s *secretive) Append(row csvfile.Row, _ *Base, hidden []string) error {
	s.rows = append(s.rows, fmt.Sprintf("%s %q", strings.Join(row.Cells, "|"), hidden))
	return nil
}

func TestCheckMasksWhatItKeeps(t *testing.T) {
	sink := &secretive{}
	got := checkedAs(t, "patch", "customer_id,password,zip\n1,one,a\n2,,b\n3,***,c\n4,four\n5,five,REMOVE\n", "", CheckOptions{}, sink)
	want := []string{`1|***|a ["one"]`, `2||b []`, `3|***|c ["***"]`, `***|*** []`, `5|***|REMOVE ["five"]`}
	if diff := cmp.Diff(want, sink.rows); diff != "" {
		t.Error(diff)
	}
	if v := verdicts(got); v != "ok ok bad ragged_row ok" {
		t.Errorf("got %q", v)
	}
}
