package mapping

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Template is a file to begin with: a heading, and a row that tells what may stand below it.
type Template struct {
	Heading, Note []string
	name          string
	fields        []Field
}

// TemplateOf is that of an action: with one key, or all where any may be filled. Of a family
// nobody knows the members.
func TemplateOf(s Schema) Template {
	keys := s.Keys
	if !s.EitherKey {
		keys = keys[:1]
	}
	t := Template{name: s.Action,
		fields: slices.DeleteFunc(slices.Concat(keys, s.Fields), func(f Field) bool { return f.Family })}
	for i, f := range t.fields {
		text := Takes(f)
		if f.Secret {
			text = "text, never shown"
		}
		if i == 0 {
			text = "# " + text + " (this row is skipped)"
		}
		t.Heading, t.Note = append(t.Heading, f.Name), append(t.Note, text)
	}
	return t
}

// CSV is the template as text.
func (t Template) CSV() ([]byte, error) {
	var text bytes.Buffer
	err := csv.NewWriter(&text).WriteAll([][]string{t.Heading, t.Note})
	return text.Bytes(), err
}

// Workbook is the template as a workbook of one sheet, all of whose cells are text.
func (t Template) Workbook() ([]byte, error) {
	name, book := t.name, excelize.NewFile()
	defer book.Close()
	if err := book.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	const textFormat = 49
	plain, err := book.NewStyle(&excelize.Style{NumFmt: textFormat})
	if err != nil {
		return nil, err
	}
	bold, err := book.NewStyle(&excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	pale, err := book.NewStyle(&excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Italic: true, Color: "666666"},
		Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return nil, err
	}
	for i, f := range t.fields {
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return nil, err
		}
		for _, err := range []error{
			book.SetColStyle(name, letter, plain), book.SetColWidth(name, letter, letter, float64(max(16, len(t.Heading[i])+2))),
			book.SetCellStr(name, letter+"1", t.Heading[i]), book.SetCellStyle(name, letter+"1", letter+"1", bold),
			book.SetCellStr(name, letter+"2", t.Note[i]), book.SetCellStyle(name, letter+"2", letter+"2", pale),
			addChoices(book, name, letter, f),
		} {
			if err != nil {
				return nil, err
			}
		}
	}
	if err := book.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = book.Write(&text)
	return text.Bytes(), err
}

// addChoices lets a column's cells be chosen from what its field takes.
func addChoices(book *excelize.File, sheet, letter string, f Field) error {
	if f.Kind != Enum {
		return nil
	}
	choices := slices.Clone(f.Enum)
	if f.Clear == Clearable {
		choices = append(choices, DefaultClear)
	}
	v := excelize.NewDataValidation(true)
	v.Sqref = fmt.Sprintf("%s3:%s%d", letter, letter, excelize.TotalRows)
	if err := v.SetDropList(choices); err != nil {
		return err
	}
	v.SetError(excelize.DataValidationErrorStyleWarning, f.Name, "one of "+strings.Join(choices, ", "))
	return book.AddDataValidation(sheet, v)
}

// Takes says in a few words what a field accepts.
func Takes(f Field) string {
	text := map[Kind]string{
		Text: "text", Digits: "whole number", Email: "one address, or several joined by ;",
		Phone: "text", Reference: "text", Enum: "one of " + strings.Join(f.Enum, ", "),
	}[f.Kind]
	if f.Max > 0 {
		text += fmt.Sprintf(", up to %d characters", f.Max)
	}
	if f.WarnOver > 0 {
		text += fmt.Sprintf(", with a warning over %d", f.WarnOver)
	}
	if f.Parent {
		text += ": another customer's id"
	}
	return text
}
