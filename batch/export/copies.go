package export

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/reports"
)

// copies are the two that an export writes of the customers: the file, to be edited,
// and in the run's folder the baseline, which keeps them as they were exported.
type copies struct {
	dir      *runs.Dir
	columns  []action.ExportColumn // of the file, without rb_export
	out      sheet
	baseline *runs.RowsWriter
	written  atomic.Int64    // customers
	types    map[string]bool // of sales tracking codes that were seen
}

// begin begins both with their headings.
func (c *copies) begin(dir *runs.Dir) (err error) {
	c.dir = dir
	path, err := c.out.Begin(dir.Path())
	if err != nil {
		return err
	}
	if path != "" {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		if err := dir.NotePartFile(path); err != nil {
			return err
		}
	}
	if err := c.out.Write(append(c.names(), "rb_export")); err != nil {
		return err
	}
	c.baseline, err = dir.Rows(runs.ExportedName, append([]string{"id"}, c.names()...)) // the file may lack the id
	return err
}

// names are those of the columns.
func (c *copies) names() (names []string) {
	for _, column := range c.columns {
		names = append(names, column.Name)
	}
	return names
}

// count is how many customers are written.
func (c *copies) count() int { return int(c.written.Load()) }

// progress is count as a phase tells it: no earlier process has written any.
func (c *copies) progress() (all, earlier int) { return c.count(), 0 }

// write writes the next customer. overview may be nil where no column is of it.
func (c *copies) write(record, overview []byte) error {
	action.TrackingTypes(record, c.types)
	cells := []string{action.ExportColumn{Name: "id"}.Cell(record, nil)}
	for _, column := range c.columns {
		cells = append(cells, column.Cell(record, overview))
	}
	if err := c.baseline.Append(runs.Row{Cells: cells}); err != nil {
		return err
	}
	shown := cells[1:]
	for i, column := range c.columns {
		if !column.Overview || !reports.IsNumber(shown[i]) { // a debt is no formula
			shown[i] = c.out.Escape(mapping.Literal(shown[i]))
		}
	}
	if err := c.out.Write(append(shown, c.dir.ID())); err != nil {
		return err
	}
	c.written.Add(1)
	return nil
}

// hidden are the columns of sales tracking codes that customers have and the file does not show.
func (c *copies) hidden() (names []string) {
	for _, typ := range slices.Sorted(maps.Keys(c.types)) {
		name := action.TrackingColumn(typ)
		if !slices.ContainsFunc(c.columns, func(shown action.ExportColumn) bool { return strings.EqualFold(shown.Name, name) }) {
			names = append(names, name)
		}
	}
	return names
}
