package action

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/mapping"
)

// ExportColumn is a column of an export: a field of the customer, or of the overview.
type ExportColumn struct {
	Name     string
	Overview bool
}

// exportColumns are the columns of those fields of which something is true.
func exportColumns(is func(field) bool) (columns []ExportColumn) {
	for _, f := range customerFields() {
		if is(f) {
			columns = append(columns, ExportColumn{f.Name, !f.has(inRecord)})
		}
	}
	return columns
}

// DefaultColumns are the id and every field that an update takes. Types of sales
// tracking codes differ from account to account, and which of them occur is known
// only when the last customer has been read, when the heading is long written:
// they are named by whoever wants them.
func DefaultColumns() []ExportColumn {
	return exportColumns(func(f field) bool { return (f.set() || f.has(key)) && !f.Family })
}

// OverviewColumns are the columns of --overview: balances and dates that only the overview shows.
func OverviewColumns() []ExportColumn {
	return exportColumns(func(f field) bool { return f.onlyShown() && !f.has(inRecord) })
}

// Columns are all of an export, sales tracking codes aside.
func Columns() []ExportColumn {
	return exportColumns(func(f field) bool { return !f.has(noColumn) && !f.Family })
}

// FindColumn finds what a person means by the name of a column.
func FindColumn(name string) (ExportColumn, error) {
	name = strings.TrimSpace(name)
	if len(name) > len(trackingPrefix) && strings.EqualFold(name[:len(trackingPrefix)], trackingPrefix) {
		return ExportColumn{Name: trackingPrefix + strings.TrimSpace(name[len(trackingPrefix):])}, nil
	}
	var names []string
	for _, c := range Columns() {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if near, ok := mapping.Nearest(name, names); ok {
		return ExportColumn{}, fmt.Errorf("%q is no column of an export; did you mean %s?", name, near)
	}
	return ExportColumn{}, fmt.Errorf("%q is no column of an export; they are %s and %s<type>",
		name, strings.Join(names, ", "), trackingPrefix)
}

// Carried reports whether a list row tells what the record holds in this column.
func (c ExportColumn) Carried(row []byte) bool {
	name := c.Name
	if _, tracking := trackingType(name); tracking {
		name = trackingList
	}
	if gjson.GetBytes(row, name).Exists() {
		return true
	}
	parent, _, nested := strings.Cut(name, ".")
	holder := gjson.GetBytes(row, parent)
	return nested && holder.Exists() && holder.Type == gjson.Null
}

// Cell is the column's cell for a customer, as an update would find it.
func (c ExportColumn) Cell(record, overview []byte) string {
	if c.Overview {
		record = overview
	}
	text := customer{record, NewTrackingCodes()}.value(c.Name).Plain()
	// A zero byte makes a file of text unreadable for some programs, and so do bytes that are no UTF-8.
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// TrackingTypes adds the types of sales tracking codes that a record holds.
func TrackingTypes(record []byte, known map[string]bool) {
	const most = 20 // more than an account has
	for _, entry := range gjson.GetBytes(record, trackingList).Array() {
		if typ := entry.Get("type").String(); typ != "" && len(known) < most {
			known[typ] = true
		}
	}
}

// TrackingColumn is the column of a type of sales tracking codes.
func TrackingColumn(typ string) string { return trackingPrefix + typ }

// ExportSpec is how an export reads a file: as an update would, for its customers alone.
func ExportSpec() Spec {
	s := UpdateSchema()
	s.OnlyKeys, s.Exported = true, false
	return Spec{Schema: s, Item: fusebillItem}
}
