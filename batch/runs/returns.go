package runs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// doubledReturns puts a second carriage return into every CRLF. encoding/csv
// takes one out again, and so leaves the CRLF of a cell as it is; rows themselves
// end with LF.
type doubledReturns struct {
	in      *bufio.Reader
	rest    []byte // read and not yet handed on
	last    byte   // read
	doubled []byte
}

func (d *doubledReturns) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		part, err := d.in.ReadSlice('\n')
		whole := err == nil || errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull)
		if len(part) == 0 || !whole {
			return 0, err
		}
		d.rest = d.double(part)
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// double takes a line, or the next part of one that is longer than the buffer.
func (d *doubledReturns) double(part []byte) []byte {
	crlf := bytes.HasSuffix(part, []byte("\r\n")) || d.last == '\r' && part[0] == '\n'
	d.last = part[len(part)-1]
	if !crlf {
		return part
	}
	d.doubled = append(append(d.doubled[:0], part[:len(part)-1]...), "\r\n"...)
	return d.doubled
}
