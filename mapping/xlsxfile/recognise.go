package xlsxfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"rowbatch/mapping/csvfile"
)

// refuse makes the refusal of a workbook that is something else.
func refuse(text, try string) error { return &csvfile.Refusal{Text: text, Try: try} }

// recognise refuses what is no zip archive, for what it is.
func recognise(r io.ReaderAt, size int64) error {
	start := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case len(start) == 0:
		return refuse("the file is empty", "save it again in the spreadsheet program, or copy it again")
	case bytes.HasPrefix(start, []byte("PK")):
		return nil
	case bytes.HasPrefix(start, []byte("\xD0\xCF\x11\xE0")) && len(start) >= 512:
		// An old container, in which a password wraps new workbooks, too. What it holds
		// stands in a directory, whose place the header tells in sectors.
		sector := int64(1) << min(binary.LittleEndian.Uint16(start[30:]), 12)
		directory := make([]byte, sector)
		n, _ := r.ReadAt(directory, (int64(binary.LittleEndian.Uint32(start[48:]))+1)*sector)
		start = append(start, directory[:n]...)
	}
	switch err := csvfile.Foreign(start, "a workbook"); {
	case err != nil:
		return err
	case !bytes.ContainsRune(start, 0), bytes.HasPrefix(start, []byte("\xFF\xFE")), bytes.HasPrefix(start, []byte("\xFE\xFF")):
		return refuse("this is plain text, such as CSV, under the name of a workbook", "give it a name that ends in .csv")
	}
	return refuse("this is no workbook", csvfile.SaveAs)
}

// recogniseArchive refuses zip archives that are something else, by what lies in them.
func recogniseArchive(files map[string]*zip.File) error {
	for name := range files {
		switch {
		case strings.HasSuffix(name, ".iwa"), strings.HasPrefix(name, "index/") && strings.HasSuffix(name, ".zip"):
			return refuse("this is a workbook of Apple Numbers", "in Numbers: File, Export To, Excel or CSV")
		case name == "mimetype", name == "content.xml":
			return refuse("this is an OpenDocument file (.ods)", csvfile.SaveAs)
		case name == "xl/workbook.bin":
			return refuse("this is a binary Excel workbook (.xlsb)", csvfile.SaveAs)
		case strings.HasPrefix(name, "word/"):
			return refuse("this is a Word document, not a workbook", "copy the table into a spreadsheet, and save that")
		case strings.HasPrefix(name, "ppt/"):
			return refuse("this is a presentation, not a workbook", "copy the table into a spreadsheet, and save that")
		}
	}
	return nil
}
