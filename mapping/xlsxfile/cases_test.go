package xlsxfile

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowbatch/mapping/csvfile"
)

// headed takes the first row that begins with id for the heading.
func headed(first []csvfile.Row) (int, error) {
	at := slices.IndexFunc(first, func(r csvfile.Row) bool { return r.Cells[0] == "id" })
	if at < 0 {
		return 0, errors.New("no heading")
	}
	return at, nil
}

// open opens a workbook of testdata.
func open(t testing.TB, name string, o Options) (*Reader, error) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	in, err := NewReader(f, info.Size(), filepath.Base(name), o)
	if err == nil {
		t.Cleanup(func() { in.Close() })
	}
	return in, err
}

// all reads an input to its end.
func all(in *Reader) (rows []csvfile.Row, err error) {
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		row.Cells = slices.Clone(row.Cells)
		rows = append(rows, row)
	}
}

// TestCases reads the workbooks of many writers. Beside each stands what a person sees
// in it; a cell that begins with !REJECT must be damage, and a first line with !REFUSE
// lets the file be refused.
func TestCases(t *testing.T) {
	names, err := filepath.Glob("testdata/*.xlsx")
	if err != nil || len(names) < 25 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(strings.TrimSuffix(name, ".xlsx") + ".expected.csv")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			parser := csv.NewReader(f)
			parser.FieldsPerRecord = -1
			want, err := parser.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			mayRefuse := strings.HasPrefix(want[0][0], "!REFUSE")
			if mayRefuse {
				want = want[1:]
			}
			in, err := open(t, name, Options{Heading: headed, Hidden: Take})
			var rows []csvfile.Row
			if err == nil {
				rows, err = all(in)
			}
			if refusal, ok := errors.AsType[*csvfile.Refusal](err); ok && (mayRefuse || strings.Contains(name, "out_of_order")) {
				t.Log(refusal)
				if refusal.Try == "" || refusal.File == "" {
					t.Errorf("the refusal does not say what next: %#v", refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(want) == 0 {
				t.Fatal("must be refused")
			}
			compare(t, want, in.Heading(), rows)
		})
	}
}

func compare(t *testing.T, want [][]string, heading []string, rows []csvfile.Row) {
	t.Helper()
	if !slices.Equal(heading, want[0]) {
		t.Fatalf("heading %q, want %q", heading, want[0])
	}
	if len(rows) != len(want)-1 {
		t.Fatalf("%d rows, want %d", len(rows), len(want)-1)
	}
	for i, row := range rows {
		for j, cell := range row.Cells {
			damage := Form(row.Forms[j]).Damage()
			switch expected := want[i+1][j]; {
			case strings.HasPrefix(expected, "!REJECT"), strings.HasPrefix(expected, "#"):
				if damage == "" {
					t.Errorf("row %d: %q is taken, want %s", row.Line, cell, expected)
				}
			case damage != "":
				t.Errorf("row %d: %q %s; want %q", row.Line, cell, damage, expected)
			case cell != expected:
				t.Errorf("row %d: %q, want %q", row.Line, cell, expected)
			}
		}
		if row.Ragged {
			t.Errorf("row %d is ragged", row.Line)
		}
	}
}
