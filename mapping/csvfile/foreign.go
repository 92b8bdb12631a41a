package csvfile

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// longestKind is how much of a file is looked at to tell what it is.
const longestKind = 64 << 10

// SaveAs is how a spreadsheet program makes a file that can be read of one that it can open.
const SaveAs = "save it from the spreadsheet as Excel workbook (.xlsx), or as CSV (UTF-8)"

// Foreign refuses a file that is not wanted, such as CSV, whatever its name says: by its
// first bytes.
func Foreign(start []byte, wanted string) error {
	const export = "export the table as CSV"
	refuse := func(what, try string) error { return &Refusal{Text: "this is " + what + ", not " + wanted, Try: try} }
	wide := func(text string) []byte { // as in the directory of an old container
		var b []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			b = binary.LittleEndian.AppendUint16(b, unit)
		}
		return b
	}
	magic := func(text string) bool { return bytes.HasPrefix(start, []byte(text)) }
	switch {
	case magic("PK\x03\x04") && bytes.Contains(start[:min(len(start), 200)], []byte("opendocument")):
		return refuse("an OpenDocument file (.ods)", SaveAs)
	case magic("PK\x03\x04"):
		return refuse("an Excel workbook (.xlsx) or another zip archive", "give it a name that ends in .xlsx, or "+SaveAs)
	case magic("\xD0\xCF\x11\xE0") && bytes.Contains(start, wide("EncryptedPackage")):
		return refuse("a workbook protected by a password", "open it, take the password off, and "+SaveAs)
	case magic("\xD0\xCF\x11\xE0"):
		return refuse("an old Excel workbook (.xls)", SaveAs)
	case magic("\x1F\x8B"), magic("7z\xBC\xAF"), magic("BZh"), magic("\xFD7zXZ"), magic("\x28\xB5\x2F\xFD"), magic("Rar!"):
		return refuse("a compressed file", "unpack it first")
	case magic("%PDF"):
		return refuse("a PDF document", export)
	case magic("{\\rtf"):
		return refuse("a text document (RTF)", export)
	case magic("PAR1"), magic("SQLite format 3\x00"):
		return refuse("a database file", export)
	case magic("\x89PNG"), magic("GIF8"), magic("\xFF\xD8\xFF"):
		return refuse("a picture", "is this the right file?")
	}
	text := bytes.TrimPrefix(start, []byte("\xEF\xBB\xBF"))
	if bytes.HasPrefix(start, []byte("\xFF\xFE")) || bytes.HasPrefix(start, []byte("\xFE\xFF")) {
		text = bytes.ReplaceAll(start[2:], []byte{0}, nil) // near enough: what follows is ASCII
	}
	text = bytes.TrimSpace(text)
	low := strings.ToLower(string(text[:min(len(text), 1000)]))
	begins := func(words ...string) bool {
		for _, with := range words {
			if strings.HasPrefix(low, with) {
				return true
			}
		}
		return false
	}
	inner := strings.TrimLeft(strings.TrimLeft(low, "[{"), " \t\r\n")
	switch {
	case begins("<?xml") && strings.Contains(low, "office:spreadsheet"):
		return refuse("an Excel workbook written as XML", SaveAs)
	case begins("<!doctype html", "<html", "<table", "<head", "<meta", "<body", "<div", "<style"):
		return refuse("a web page (HTML)",
			"open it, and "+SaveAs+"; was it downloaded without being logged in?")
	case begins("<?xml", "<!--", "<!doctype"):
		return refuse("an XML document", export)
	case begins("{") && (strings.HasPrefix(inner, `"`) && strings.Contains(inner, `":`) || strings.HasPrefix(inner, "}")),
		begins("[{", "[ {", "[\n", "[\r\n", "[[", `["`, "[]"):
		return refuse("JSON", export)
	}
	return nil
}
