package intake

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"rowbatch/batch/runs"
)

// editing is a stop that never comes. What asks for it for the nth time finds the workbook edited.
type editing struct {
	context.Context
	asked int
	at    int
	edit  func()
}

func (e *editing) Err() error {
	if e.asked++; e.asked == e.at {
		e.edit()
	}
	return nil
}

// A workbook that somebody saves while it is read is refused: nobody knows which of its
// rows are of which state, and its hash would be that of other bytes.
func TestWorkbookChangedWhileItIsRead(t *testing.T) {
	book := excelize.NewFile()
	for at, text := range map[string]string{"A1": "id", "B1": "firstName", "A2": "987001", "B2": "Ada"} {
		if err := book.SetCellStr("Sheet1", at, text); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "edits.xlsx")
	if err := book.SaveAs(name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(text)
	changed[len(changed)-30] ^= 1 // in a time of the directory: the rows are the same
	refused, read := 0, 0
	for at := 1; ; at++ {
		stop := &editing{Context: t.Context(), at: at, edit: func() {
			if err := os.WriteFile(name, changed, 0o600); err != nil {
				t.Error(err)
			}
		}}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		dir, err := runs.Create(runs.Disk(), t.TempDir(), time.Now(), "update", "edits")
		if err != nil {
			t.Fatal(err)
		}
		in, err := Read(stop, Source{Name: name, Actions: ActionsOf("update")}, dir)
		switch {
		case err != nil && strings.Contains(err.Error(), "the workbook was changed while it was read"):
			refused++
		case err != nil:
			t.Fatal(err)
		default:
			read++
			if in.Sum == "" {
				t.Error("no hash")
			}
		}
		if stop.asked < at {
			break
		}
	}
	if refused == 0 || read == 0 {
		t.Errorf("refused %d times, read %d times", refused, read)
	}
}
