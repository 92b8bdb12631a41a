package xlsxfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"rowbatch/mapping/csvfile"
)

// refuse makes the refusal of a workbook that is something else.
func refuse(text, try string) error { return &csvfile.Refusal{Text: text, Try: try} }

const saveAsXLSX = "open it in the spreadsheet program and save it as Excel workbook (.xlsx)"

// mostOfContainer is how far the names within an old container are looked for.
const mostOfContainer = 64 << 20

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
	case bytes.HasPrefix(start, []byte("\xD0\xCF\x11\xE0")):
		return recogniseContainer(r, size)
	case bytes.HasPrefix(start, []byte("%PDF")):
		return refuse("this is a PDF document, not a workbook", "ask for the spreadsheet itself")
	}
	start, _, _ = transform.Bytes(unicode.BOMOverride(transform.Nop), start) // up to a character that is cut in two
	text := strings.ToLower(strings.TrimSpace(string(start)))
	switch {
	case strings.Contains(text, "urn:schemas-microsoft-com:office:spreadsheet"):
		return refuse("this is an XML spreadsheet of 2003 under another name", saveAsXLSX)
	case strings.HasPrefix(text, "<") && (strings.Contains(text, "<html") || strings.Contains(text, "<table")):
		return refuse("this is an HTML page, not a workbook: some systems send one as a spreadsheet", saveAsXLSX)
	case strings.HasPrefix(text, "<"):
		return refuse("this is an XML document, not a workbook", saveAsXLSX)
	case !strings.ContainsRune(text, 0):
		return refuse("this is plain text, such as CSV, under the name of a workbook", "give it a name that ends in .csv")
	}
	return refuse("this is no workbook", saveAsXLSX)
}

// recogniseContainer looks into the form of old workbooks, in which a password
// wraps new ones too.
func recogniseContainer(r io.ReaderAt, size int64) error {
	name, err := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String("EncryptedPackage")
	if err != nil {
		return err
	}
	window := make([]byte, 1<<20)
	for at := int64(0); at < min(size, mostOfContainer); at += int64(len(window) - len(name)) {
		n, err := r.ReadAt(window, at)
		if bytes.Contains(window[:n], []byte(name)) {
			return refuse("the workbook is protected by a password",
				"open it, take the password off (in Excel: File, Info, Protect Workbook, Encrypt with Password), and save it")
		}
		if err != nil {
			break // the end, or what the next read will tell of
		}
	}
	return refuse("this is an Excel workbook of the old kind (.xls)", saveAsXLSX)
}

// recogniseArchive refuses zip archives that are something else, by what lies in them.
func recogniseArchive(files map[string]*zip.File) error {
	for name := range files {
		switch {
		case strings.HasSuffix(name, ".iwa"), strings.HasPrefix(name, "index/") && strings.HasSuffix(name, ".zip"):
			return refuse("this is a workbook of Apple Numbers", "in Numbers: File, Export To, Excel")
		case name == "mimetype", name == "content.xml":
			return refuse("this is an OpenDocument file (.ods)", saveAsXLSX)
		case name == "xl/workbook.bin":
			return refuse("this is a binary Excel workbook (.xlsb)", saveAsXLSX)
		case strings.HasPrefix(name, "word/"):
			return refuse("this is a Word document, not a workbook", "copy the table into a spreadsheet, and save that")
		case strings.HasPrefix(name, "ppt/"):
			return refuse("this is a presentation, not a workbook", "copy the table into a spreadsheet, and save that")
		}
	}
	return nil
}
