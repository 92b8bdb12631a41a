package xlsxfile

// Form is how a sheet holds a cell. What a person sees there is the cell's text,
// where that says the same as the cell; all other forms are damage.
type Form byte

// The forms of cells. As text, one character each, they stand beside a row's cells.
const (
	Blank      Form = ' '
	Typed      Form = 't' // text, as somebody typed it
	Copied     Form = 's' // text of a row of a report of ours, as it came from some file: not as typed
	Whole      Form = 'n' // a whole number
	Truth      Form = 'b' // TRUE or FALSE
	Amount     Form = 'a' // a whole number that is shown as 1,234 or as 500%
	Fraction   Form = 'f' // a number with decimals, whatever is shown of it
	Date       Form = 'd' // a date, a time, a duration
	Failed     Form = 'e' // #N/A and its kin
	Uncounted  Form = 'u'
	Lost       Form = 'l'
	Unshown    Form = 'r'
	PartOfDate Form = 'p'
	NoSuchDay  Form = 'y'
	OddFormat  Form = 'o'
	Merged     Form = 'm'
	Unreadable Form = 'x'
)

// Damage says what is wrong with a cell of a form and what to do about it in the
// spreadsheet; "" for nothing.
func (f Form) Damage() string {
	switch f {
	case Failed:
		return "holds an error of the spreadsheet: correct it there, or empty the cell"
	case Uncounted:
		return "holds a formula without a value: open the file in the spreadsheet, let it calculate, and save it"
	case Lost:
		return "is a number of more than 15 digits, and a spreadsheet keeps only 15: format the column as text and enter it again"
	case Unshown:
		return "holds something else than it shows, since its number format rounds or hides it: " +
			"enter what is meant, or choose another format"
	case PartOfDate:
		return "shows only a part of the date that it holds; was something like 7-11 meant? " +
			"format the column as text and enter it again, or choose a format with year, month and day"
	case NoSuchDay:
		return "holds a date that does not exist: enter it again"
	case OddFormat:
		return "is a number in a format that cannot be read without loss (such as 1E+05 or 1/2): " +
			"format the column as text and enter it again"
	case Merged:
		return "is part of merged cells: unmerge them, and fill each cell"
	case Unreadable:
		return "holds no number, although the file says so: enter it again"
	}
	return ""
}

// DamagesNumber says what is wrong with a cell where an id, a reference or a phone
// number belongs; "" for nothing.
func (f Form) DamagesNumber() string {
	switch f {
	case Fraction:
		return "is a number with decimals: format the column as text and enter it again"
	case Amount:
		return "is shown as an amount, such as 1,234 or 500%: format the column as text and enter it again"
	case Truth:
		return "is true or false to the spreadsheet, and no text: format the column as text and enter it again"
	case Date:
		return "is a date or a time to the spreadsheet: format the column as text and enter it again"
	}
	return f.Damage()
}
