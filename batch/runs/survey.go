package runs

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"rowbatch/batch"
)

// survey is what one reading of a journal tells of the run as a whole. It takes
// a byte a row.
type survey struct {
	head    batch.Head
	end     *batch.End
	intents int
	sent    int    // rows with an intent
	left    []bool // by row: it has one
	seq     int64  // of the last record
	sound   int64  // bytes
	kinds   []batch.Kind
	rows    []uint8 // each row's last word: its place in kinds
}

func surveyOf(r io.Reader) (*survey, error) {
	s := &survey{kinds: append([]batch.Kind{batch.NotAttempted}, batch.Kinds()...)}
	in := &faithful{from: r}
	sound, err := batch.Skim(in, s.note)
	s.sound = sound
	if err == nil {
		err = in.err
	}
	if err == nil && s.seq == 0 {
		err = errors.New("the journal has no first record")
	}
	return s, err
}

// faithful remembers a read that failed. What follows the last byte that could
// be read must not pass for a torn end, and be cut off with the intents in it.
type faithful struct {
	from io.Reader
	err  error
}

func (f *faithful) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

func (s *survey) note(offset int64, e *batch.Entry) error {
	s.seq, s.end = e.Seq, e.End // an end that others follow was that of an earlier process
	switch {
	case e.Run != nil:
		return s.begin(*e.Run)
	case s.head.Format == 0:
		return &batch.DamageError{Offset: offset}
	case e.Kind == "intent":
		s.intents++
		if e.Row >= 0 && e.Row < len(s.left) && !s.left[e.Row] {
			s.left[e.Row] = true
			s.sent++
		}
		return s.word(offset, e.Row, batch.InDoubt)
	case e.Outcome != nil:
		return s.word(offset, e.Row, e.Outcome.Kind)
	}
	return nil
}

func (s *survey) begin(h batch.Head) error {
	s.head = h
	if h.Format != batch.Format {
		return fmt.Errorf("the journal has format %d; this program reads format %d", h.Format, batch.Format)
	}
	if h.Mode != batch.ModeExport { // whose rows have no outcomes
		s.rows, s.left = make([]uint8, h.Rows), make([]bool, h.Rows)
	}
	return nil
}

// word notes what a row's newest record says of it.
func (s *survey) word(offset int64, row int, k batch.Kind) error {
	if row < 0 || row >= len(s.rows) {
		return &batch.DamageError{Offset: offset}
	}
	at := slices.Index(s.kinds, k)
	if at < 0 {
		at = len(s.kinds)
		s.kinds = append(s.kinds, k)
	}
	s.rows[row] = uint8(at)
	return nil
}

func (s *survey) counts() map[batch.Kind]int {
	counts := map[batch.Kind]int{}
	for _, at := range s.rows {
		counts[s.kinds[at]]++
	}
	return counts
}
