package xlsxfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchColumns = 12

// large writes a workbook as spreadsheets do, texts shared or in their cells.
func large(b *testing.B, rows int) string {
	b.Helper()
	book := excelize.NewFile()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for n := range rows + 1 {
		cells := make([]any, benchColumns)
		for i := range cells {
			switch {
			case n == 0 && i == 0:
				cells[i] = "id"
			case n == 0:
				cells[i] = fmt.Sprintf("field%d", i)
			case i == 0:
				cells[i] = 987000 + n
			default:
				cells[i] = fmt.Sprintf("text %d in row %d", i, n)
			}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", n+1), cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "large.xlsx")
	if err := book.SaveAs(name); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkRead reads 100,000 rows of 12 columns, beside the same by a library that
// gives bare strings.
func BenchmarkRead(b *testing.B) {
	const rows = 100_000
	name := large(b, rows)
	b.Run("sheet", func(b *testing.B) {
		for range b.N {
			f, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				b.Fatal(err)
			}
			in, err := NewReader(f, info.Size(), name, Options{})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for {
				_, err := in.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != rows {
				b.Fatalf("%d rows", n)
			}
			in.Close()
			f.Close()
		}
	})
	b.Run("library", func(b *testing.B) {
		for range b.N {
			book, err := excelize.OpenFile(name)
			if err != nil {
				b.Fatal(err)
			}
			list, err := book.Rows("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for list.Next() {
				if _, err := list.Columns(); err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != rows+1 {
				b.Fatalf("%d rows", n)
			}
			list.Close()
			book.Close()
		}
	})
}
