package journal

import (
	"bytes"
	"errors"
	"io"
)

// Window reads lines of a file here and there. Where each stands near the one
// before, one reading serves many, whichever way they are gone through; a journal
// in another order than its rows is not read over and over. One goroutine uses it.
type Window struct {
	r    io.ReaderAt
	part []byte // of the file, from at
	at   int64
}

// NewWindow has read nothing yet.
func NewWindow(r io.ReaderAt) *Window { return &Window{r: r} }

// Around a line a wide window shows as much as the rows on their way at once write: a
// row's intent and its outcome stand that far apart.
const (
	wideWindow   = 512 << 10
	narrowWindow = 2 << 10
)

// Line returns the line that starts at an offset, with its line feed. It is valid
// until the next call. A file that ends before the line does is an
// [io.ErrUnexpectedEOF].
func (w *Window) Line(offset int64) ([]byte, error) {
	if line := w.held(offset); line != nil {
		return line, nil
	}
	from, size := offset, narrowWindow
	if ahead := offset - w.at; ahead > -wideWindow && ahead < 2*wideWindow {
		from, size = max(0, offset-wideWindow/2), wideWindow
	}
	for ; ; size *= 2 {
		end, err := w.read(from, size)
		if line := w.held(offset); line != nil || err != nil {
			return line, err
		}
		if end {
			return nil, io.ErrUnexpectedEOF
		}
		from = offset
	}
}

// held returns a line that is in the window whole; else nil.
func (w *Window) held(offset int64) []byte {
	from := offset - w.at
	if from < 0 || from >= int64(len(w.part)) {
		return nil
	}
	end := bytes.IndexByte(w.part[from:], '\n')
	if end < 0 {
		return nil
	}
	return w.part[from:][:end+1]
}

// read moves the window, and reports whether it reaches the end of the file.
func (w *Window) read(from int64, size int) (end bool, err error) {
	if cap(w.part) < size {
		w.part = make([]byte, size)
	}
	n, err := w.r.ReadAt(w.part[:size], from)
	w.part, w.at = w.part[:n], from
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
