package mapping

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"rowbatch/mapping/csvfile"
)

func TestStrayQuotes(t *testing.T) {
	const three, two = "id,firstName,lastName\n", "id,customerReference.reference1\n"
	for _, c := range []struct{ name, text, want string }{
		{"a key at the start of a line", two + "987001,\"Pipe\n987002,B\n987003,Pipe\"\n987004,x\n", "0>3"},
		{"a key seen only later", two + "7,\"Pipe\n98,B\"\n98001,x\n", "0>3"},
		{"CRLF", two + "987001,\"Pipe\r\n987002,B\"\r\n", "0>3"},
		{"as many delimiters as a row", three + "1,\"Pipe\nBo,x,y\nCy\",z\n", "0>3"},
		{"fewer, and no key", three + "1,\"Pipe\nBo,x\nCy\",z\n", ""},
		{"in a later cell of a later line", three + "1,\"a\nb\",\"c\n2,d\"\n", "0>4"},
		{"in a ragged row", three + "987001,\"Pipe\n987002,B\nC\"\n987003,x,y\n", "0>3"},
		{"several", two + "1001,\"P\n1002,Q\"\n1003,x\n1004,\"P\n1005,Q\"\n", "0>3 2>6"},
		{"an address", two + "987001,\"12 High Street\nSuite 4, Floor 2\"\n", ""},
		{"a number that is no key's", two + "987001,\"Ann\n12,Floor 2\"\n", ""},
		{"a space behind the key", two + "987001,\"Ann\n987002 ,Floor 2\"\n", ""},
		{"a key alone", two + "987001,\"Ann\n987002\"\n", ""},
		{"references", "reference,firstName\nAC-1,\"P\nAC-2,Q\"\n", "0>3"},
		{"a text unlike references", "reference,firstName\nAC-1,\"P\nAC 2,Q\"\n", ""},
		{"keys without a digit tell nothing", "reference,firstName\nacme,\"P\nSuite,Q\"\n", ""},
		{"the key stands last", "firstName,id\n\"P,987001\nQ\",987002\n", "0>3"},
		{"the key stands last, in the lines between", "firstName,id\n\"P\nQ,987001\nR\",987002\n", "0>3"},
		{"another delimiter", "id;firstName\n1001;\"P\n1002,Q\n1003\"\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t, c.text)
			m, err := Compile([]Schema{schema()}, in.Heading(), CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var rows []csvfile.Row
			o := CheckOptions{Delimiter: in.Dialect().Delimiter}
			_, err = Check(in, m, func(row csvfile.Row, _ *Base, _ []string, _ []string) error {
				row.Cells = append([]string(nil), row.Cells...)
				rows = append(rows, row)
				return nil
			}, o)
			if (err != nil) != strings.Contains(c.want, " ") {
				t.Fatalf("refused: %v", err)
			}
			again, err := Recheck(&recalled{rows}, m, o) // of the rows as they were kept
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for n := range again.Rows {
				if p := again.Problem(n); p != nil && strings.Contains(p.Text, "row of its own") {
					got = append(got, fmt.Sprintf("%d>%d", n, again.inside[n]))
				}
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("rows with others inside: %q, want %q", got, c.want)
			}
		})
	}
}

// recalled are rows as a run keeps them.
type recalled struct{ rows []csvfile.Row }

func (r *recalled) Next() (csvfile.Row, *Base, error) {
	if len(r.rows) == 0 {
		return csvfile.Row{}, nil, io.EOF
	}
	row := r.rows[0]
	r.rows = r.rows[1:]
	return row, nil, nil
}

// TestEditedCellsOfAMixedFile: a cell is edited or not by what its row's own action takes it for.
func TestEditedCellsOfAMixedFile(t *testing.T) {
	m, err := Compile([]Schema{exportedSchema(), holdSchema()}, []string{"action", "id", "First", "lastName", "rb_export"},
		CompileOptions{File: parsed(t, "columns: {First: firstName, lastName: lastName}")})
	if err != nil {
		t.Fatal(err)
	}
	was := "Ann"
	got := m.edited([]string{"update", "1", "Ann\n2,Bo", "Lee\n3,Cy", "x"}, &Base{Was: map[string]*string{"firstName": &was}})
	if got[2] != "Ann\n2,Bo" || got[3] != "\n" {
		t.Errorf("edited %q, as exported %q", got[2], got[3])
	}
}
