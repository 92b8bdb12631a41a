package mapping

import (
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// passwordName is what the heading of a column of passwords folds to, whatever
// the column is for.
const passwordName = "password"

// mask stands in our files and messages in place of a secret.
const mask = "***"

// secretProblem is the text of a problem with a secret: in words that are the
// same for all secrets.
func secretProblem(code string) string {
	switch code {
	case "masked_value":
		return mask + " stands for a secret that was masked, and cannot be sent: type the secret again, or leave the cell blank"
	case "not_clearable":
		return "cannot be cleared"
	case "clear_word_case":
		return "reads almost like the word that clears a field"
	case "spreadsheet_damage":
		return "is what a spreadsheet writes in place of a value it has lost"
	case "too_long":
		return "has more characters than the field takes"
	case "missing_key":
		return "the key is blank"
	case "unknown_action":
		return "is none of the actions"
	}
	return "is not a text that can be sent here; it is secret and not shown"
}

// HasSecrets says that the file has columns that may hold passwords: those that
// set a secret field in rows of some action, and those headed password.
func (m *Mapper) HasSecrets() bool { return len(m.secrets) > 0 }

// Mask returns the cells of a row as they may be kept and shown, and the texts of
// the columns that may hold passwords, for Unmask; nil when all of them are
// blank. In a ragged row every cell is masked for good, since nobody knows which
// one is the password. Without such columns the cells are the row's own.
func (m *Mapper) Mask(row csvfile.Row) (cells []string, hidden []string) {
	if !m.HasSecrets() {
		return row.Cells, nil
	}
	cells = slices.Clone(row.Cells)
	if row.Ragged {
		for i := range cells {
			maskCell(&cells[i])
		}
		return cells, nil
	}
	filled := false
	for _, i := range m.secrets {
		filled = maskCell(&cells[i]) || filled
	}
	if filled {
		for _, i := range m.secrets {
			hidden = append(hidden, strings.Clone(row.Cells[i]))
		}
	}
	return cells, hidden
}

// maskCell masks a cell that is not blank, and says that it did.
func maskCell(cell *string) bool {
	if strings.TrimSpace(*cell) == "" {
		return false
	}
	*cell = mask
	return true
}

// Unmask returns a masked row's cells as they were. Cells from which nothing was
// hidden are returned as they are.
func (m *Mapper) Unmask(cells, hidden []string) []string {
	if len(hidden) == 0 {
		return cells
	}
	cells = slices.Clone(cells)
	for i, text := range hidden {
		cells[m.secrets[i]] = text
	}
	return cells
}
