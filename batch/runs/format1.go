package runs

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Runs of journal.OldFormat keep their rows in a CSV file: the line, the input's
// cells, what is remembered of an export where rows had been exported, and a ragged
// row's cells as a JSON array, empty for all others. They are shown, reported on and
// undone; nothing writes such a file any more.
const (
	oldRowsName     = "rows.csv"
	oldLineColumn   = "rb_line"
	oldRaggedColumn = "rb_ragged"
	oldBaseColumn   = "rb_base"
)

// oldRows reads such a file.
type oldRows struct {
	in    *csv.Reader
	lines *bufio.Reader
	rest  []byte // of a line, not handed on yet
	bases bool   // rows may have been exported
}

func readOldRows(f File) (*RowsReader, error) {
	o := &oldRows{lines: bufio.NewReaderSize(f, bufferSize)}
	o.in = csv.NewReader(o)
	r := &RowsReader{file: f, old: o}
	names, err := o.in.Read()
	last := len(names) - 1
	if err == nil && (last < 1 || names[0] != oldLineColumn || names[last] != oldRaggedColumn) {
		err = fmt.Errorf("its heading lacks %s or %s", oldLineColumn, oldRaggedColumn)
	}
	if err != nil {
		return nil, errors.Join(r.damaged(err), f.Close())
	}
	if o.bases = names[last-1] == oldBaseColumn; o.bases {
		last--
	}
	r.heading = slices.Clone(names[1:last])
	return r, nil
}

// Read gives each line to the CSV reader, with a second carriage return in a CRLF:
// encoding/csv takes one out again, and so leaves the CRLF of a cell as it is. Rows
// themselves end with LF.
func (o *oldRows) Read(p []byte) (int, error) {
	if len(o.rest) == 0 {
		line, err := o.lines.ReadBytes('\n')
		if len(line) == 0 {
			return 0, err
		}
		if before, crlf := bytes.CutSuffix(line, []byte("\r\n")); crlf {
			line = slices.Concat(before, []byte("\r\r\n"))
		}
		o.rest = line
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

func (o *oldRows) next() (line record, err error) {
	all, err := o.in.Read()
	if err != nil {
		return line, err
	}
	last := len(all) - 1
	ragged := all[last]
	if o.bases {
		last--
		line.Base = all[last]
	}
	line.Cells = all[1:last]
	if line.Ragged = ragged != ""; line.Ragged {
		err = json.Unmarshal([]byte(ragged), &line.Cells)
	}
	var failed error
	line.Line, failed = strconv.Atoi(all[0])
	return line, errors.Join(err, failed)
}

// convertOldRows gives a run the rows of one of the old format, in today's.
func convertOldRows(of, to *Dir) error {
	in, err := of.ReadRows()
	if err != nil {
		return unreadable(of.Path(oldRowsName), err)
	}
	defer in.Close()
	out, err := to.Rows(RowsName, in.Heading())
	for err == nil {
		var row Row
		if row, err = in.Next(); err == nil {
			err = out.Append(row)
		}
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return out.Close()
}
