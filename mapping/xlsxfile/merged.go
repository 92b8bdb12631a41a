package xlsxfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// mostMerged is how many merged areas a sheet may have.
const mostMerged = 100_000

// area is a rectangle of cells.
type area struct {
	columns
	top, bottom int // rows
}

// merged returns the merged areas of a sheet, from the top down. They stand behind
// the rows that they spoil, hence a pass of its own. It looks at nothing but where
// tags end, and finds out whether the part is whole.
func merged(f *zip.File) ([]area, error) {
	p, err := openPart(f)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var at, behind int64 // all rows
	var before []byte    // the end of what was longer than the buffer
	found := false
	for {
		chunk, err := p.text.ReadSlice('>')
		at += int64(len(chunk))
		if at > mostUnpacked {
			return nil, errTooLarge
		}
		full := errors.Is(err, bufio.ErrBufferFull)
		if len(before) > 0 {
			chunk = slices.Concat(before, chunk)
			before = nil
		}
		if full {
			before = slices.Clone(chunk[max(len(chunk)-len("</prefix:sheetData>"), 0):])
		}
		if tag, ok := bytes.CutSuffix(chunk, []byte("sheetData>")); ok && bytes.ContainsAny(tag[max(len(tag)-1, 0):], "/:") {
			behind, found = at, false
		}
		found = found || bytes.Contains(chunk, []byte("mergeCell"))
		switch {
		case errors.Is(err, io.EOF) && !found:
			return nil, nil
		case errors.Is(err, io.EOF):
			return mergedBehind(f, behind)
		case err != nil && !full:
			return nil, err
		}
	}
}

// mergedBehind reads the areas that stand behind the rows.
func mergedBehind(f *zip.File, behind int64) (areas []area, err error) {
	p, err := openPart(f)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if _, err := io.CopyN(io.Discard, p.text, behind); err != nil {
		return nil, err
	}
	for p.depth = 1; p.depth > 0; {
		token, err := p.next()
		if err != nil {
			return nil, err
		}
		e, ok := token.(xml.StartElement)
		if !ok || p.depth != 3 || e.Name.Local != "mergeCell" {
			continue
		}
		first, last, _ := strings.Cut(strings.ReplaceAll(attribute(&e, "ref"), "$", ""), ":")
		left, top, ok := parseAddress(first)
		right, bottom, ok2 := parseAddress(cmp.Or(last, first))
		if !ok || !ok2 {
			return nil, fmt.Errorf("%.40q are no cells of a sheet", attribute(&e, "ref"))
		}
		if len(areas) == mostMerged {
			return nil, fmt.Errorf("it has more than %d merged areas", mostMerged)
		}
		areas = append(areas, area{columns{min(left, right), max(left, right)}, min(top, bottom), max(top, bottom)})
	}
	slices.SortFunc(areas, func(a, b area) int { return cmp.Compare(a.top, b.top) })
	return areas, nil
}
