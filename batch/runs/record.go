package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// form is what a record of rows.csv consists of: the line, the input's cells,
// what is remembered of its export where rows were exported, and a ragged row.
type form struct {
	width int  // of the input
	bases bool // rows may have been exported
}

// formOf reads the heading of rows.csv.
func formOf(names []string) (form, error) {
	last := len(names) - 1
	if last < 1 || names[0] != lineColumn || names[last] != raggedColumn {
		return form{}, fmt.Errorf("its heading lacks %s or %s", lineColumn, raggedColumn)
	}
	f := form{bases: names[last-1] == baseColumn}
	if f.bases {
		last--
	}
	f.width = last - 1
	return f, nil
}

func (f form) fields() int {
	if f.bases {
		return f.width + 3
	}
	return f.width + 2
}

// row understands a record. Its cells are parts of the text.
func (f form) row(n int, text string) (Row, error) {
	all, err := fieldsOf(text, make([]string, 0, f.fields()))
	if err != nil {
		return Row{}, err
	}
	if len(all) != f.fields() {
		return Row{}, fmt.Errorf("a row has %d fields instead of %d", len(all), f.fields())
	}
	row := Row{N: n, Cells: all[1 : f.width+1 : f.width+1]}
	if row.Line, err = strconv.Atoi(all[0]); err != nil {
		return Row{}, err
	}
	if f.bases {
		row.Base = all[f.width+1]
	}
	if array := all[len(all)-1]; array != "" {
		row.Ragged, row.Cells = true, nil
		err = json.Unmarshal([]byte(array), &row.Cells)
	}
	return row, err
}

// fieldsOf takes a record apart as RowsWriter wrote it: commas, quotes doubled
// within quotes, and a line feed at its end. Every other byte is a cell's own,
// carriage returns too: encoding/csv would make of each CRLF a mere LF.
func fieldsOf(text string, all []string) ([]string, error) {
	text = strings.TrimSuffix(text, "\n")
	for {
		var field string
		if text == "" || text[0] != '"' {
			end := strings.IndexByte(text, ',')
			if end < 0 {
				end = len(text)
			}
			if field = text[:end]; strings.IndexByte(field, '"') >= 0 {
				return nil, errors.New("a quotation mark stands in a field without quotes")
			}
			text = text[end:]
		} else {
			end := quotedEnd(text)
			if end < 0 {
				return nil, errors.New("a quotation mark is never closed")
			}
			if field = text[1:end]; strings.IndexByte(field, '"') >= 0 {
				field = strings.ReplaceAll(field, `""`, `"`)
			}
			text = text[end+1:]
		}
		all = append(all, field)
		if text == "" {
			return all, nil
		}
		if text[0] != ',' {
			return nil, errors.New("something stands behind a closing quotation mark")
		}
		text = text[1:]
	}
}

// quotedEnd returns where the quotation mark stands that closes the first; -1
// when there is none.
func quotedEnd(text string) int {
	for at := 1; ; at += 2 {
		next := strings.IndexByte(text[at:], '"')
		if next < 0 {
			return -1
		}
		if at += next; at+1 == len(text) || text[at+1] != '"' {
			return at
		}
	}
}

// records are those of rows.csv, one after the other.
type records struct {
	in   *bufio.Reader
	long []byte // a record of several lines, or longer than the buffer
}

func recordsOf(r io.Reader) *records { return &records{in: bufio.NewReaderSize(r, bufferSize)} }

// next returns the bytes of a record with the line feed that ends it: one that
// stands in no quotes. They are valid until the next call.
func (r *records) next() ([]byte, error) {
	r.long = r.long[:0]
	quoted := false
	for {
		part, err := r.in.ReadSlice('\n')
		quoted = quoted != (bytes.Count(part, []byte{'"'})%2 == 1)
		switch {
		case err == nil && !quoted && len(r.long) == 0:
			return part, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF):
			return nil, err
		}
		r.long = append(r.long, part...)
		switch {
		case errors.Is(err, io.EOF) && len(r.long) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, errors.New("it ends in the middle of a row")
		case err == nil && !quoted:
			return r.long, nil
		}
	}
}
