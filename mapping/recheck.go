package mapping

import (
	"errors"
	"io"

	"rowbatch/mapping/csvfile"
)

// Recheck looks once more at the rows of an input that Check has let pass, such
// as a run's copy of them: all that Check found of each row is found again.
func Recheck(rows interface {
	Next() (csvfile.Row, *Base, error)
}, m *Mapper, o CheckOptions) (*Checked, error) {
	c := newChecker(m, o)
	for {
		row, base, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		c.row(row, base)
	}
	c.across()
	return c.result, nil
}
