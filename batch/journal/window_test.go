package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// counted counts the bytes that are read.
type counted struct {
	*bytes.Reader
	read int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.read += n
	return n, err
}

func linesOf(rows, length int) (text []byte, starts []int64) {
	for n := range rows {
		starts = append(starts, int64(len(text)))
		text = fmt.Appendf(text, "%d %s\n", n, strings.Repeat("x", length))
	}
	return text, starts
}

func TestWindowShowsAnyLine(t *testing.T) {
	text, starts := linesOf(2_000, 100)
	long := int64(len(text))
	text = append(text, strings.Repeat("y", 3*wideWindow)+"\nend without a line feed"...)
	torn := int64(bytes.LastIndexByte(text, '\n') + 1)
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow(bytes.NewReader(text))
		for range 20 {
			at := rapid.SampledFrom(append(starts, long)).Draw(t, "start")
			line, err := w.Line(at)
			if want := text[at:][:bytes.IndexByte(text[at:], '\n')+1]; err != nil || !bytes.Equal(line, want) {
				t.Fatalf("at %d: %v", at, err)
			}
			if _, err := w.Line(torn); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("a torn line: %v", err)
			}
		}
	})
}

// However a journal's rows are gone through, no more is read than a few times its length.
func TestWindowReadsLittle(t *testing.T) {
	const rows = 10_007
	text, starts := linesOf(rows, 1_000)
	for name, row := range map[string]func(int) int{
		"forward":  func(n int) int { return n },
		"backward": func(n int) int { return rows - 1 - n },
		"far":      func(n int) int { return n * 4_001 % rows },
	} {
		from := &counted{Reader: bytes.NewReader(text)}
		w := NewWindow(from)
		for n := range rows {
			if _, err := w.Line(starts[row(n)]); err != nil {
				t.Fatal(err)
			}
		}
		if from.read > 3*len(text) {
			t.Errorf("%s: %d bytes read of %d", name, from.read, len(text))
		}
	}
}
