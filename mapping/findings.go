package mapping

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Finding is what looks wrong with a column of a whole file, though each of its cells may
// be sent as it stands.
type Finding struct {
	Column string `json:"column"`
	Rows   int    `json:"rows"`  // in which it is so
	Lines  []int  `json:"lines"` // of the first of them
	Text   string `json:"text"`
}

// suspect gathers what is to be said of one column.
type suspect struct {
	*column
	isKey bool
	clear string // the clear word

	dates, unseen, quotes, mistypes suspicious

	lengths map[int]*suspicious    // of texts of digits alone, by how many
	padded  bool                   // some of them begin with a zero
	givers  map[uint64]*suspicious // of an e-mail address, by its hash
	last    string                 // the cell before
	filled  int
	changes int  // cells that differ from the one before
	falls   bool // some cell stands before the one above in the alphabet
}

// suspicious are rows, and the cell of the first.
type suspicious struct {
	rows  int
	lines []int
	cell  string
}

const linesOfFinding = 5

func (s *suspicious) add(line int, cell string) {
	if s.rows++; s.rows == 1 {
		s.cell = strings.Clone(cell)
	}
	if len(s.lines) < linesOfFinding {
		s.lines = append(s.lines, line)
	}
}

// suspects are the columns of a file that are looked at: keys, and what rows set, secrets
// aside. A column of several actions is looked at once.
func suspects(m *Mapper) (all []*suspect) {
	add := func(c *column, isKey bool) {
		seen := slices.ContainsFunc(all, func(s *suspect) bool { return s.index == c.index })
		if !seen && !c.secret && c.joined == nil {
			all = append(all, &suspect{column: c, isKey: isKey, clear: cmp.Or(c.clearWord, DefaultClear),
				lengths: map[int]*suspicious{}, givers: map[uint64]*suspicious{}})
		}
	}
	for _, l := range m.layouts {
		for i := range l.keys {
			add(&l.keys[i], true)
		}
		for i := range l.columns {
			add(&l.columns[i], false)
		}
	}
	return all
}

// isID reports whether the column's cells name something.
func (s *suspect) isID() bool {
	return s.isKey || s.field.Kind == Digits || s.field.Kind == Reference
}

var likeDate = regexp.MustCompile(`^(?:[0-9]{4}-[01][0-9]-[0-3][0-9]|[0-3]?[0-9][./-][0-3]?[0-9][./-](?:19|20)[0-9]{2})(?:[ T][0-9:]+)?$`)

// mostGivers bounds the addresses that are told apart.
const mostGivers = 200_000

// notice takes a cell in. hash tells texts apart.
func (s *suspect) notice(line int, cell string, hash func(string) uint64) {
	trimmed := trimEnds(cell)
	if trimmed == "" || trimmed == s.clear {
		return
	}
	s.filled++
	if strings.ContainsFunc(trimmed, func(r rune) bool { return r > '~' && r != '\u200C' && r != '\u200D' && isUnseen(r) }) {
		s.unseen.add(line, cell)
	}
	if s.isID() || s.field.Kind == Phone {
		if likeDate.MatchString(trimmed) {
			s.dates.add(line, trimmed)
		}
		if strings.ContainsAny(trimmed, "“”„‟‘’‚‛«»‹›\"`´") {
			s.quotes.add(line, trimmed)
		}
	}
	if s.isID() && allDigits(trimmed) {
		n := len(trimmed)
		s.padded = s.padded || n > 1 && trimmed[0] == '0'
		if s.lengths[n] == nil {
			s.lengths[n] = &suspicious{}
		}
		s.lengths[n].add(line, trimmed)
	}
	if !s.isKey && trimmed[0] != '\\' && !strings.EqualFold(trimmed, s.clear) && mistyped(trimmed, s.clear) {
		s.mistypes.add(line, trimmed)
	}
	if s.field.Kind == Email && !s.isKey && len(s.givers) < mostGivers {
		h := hash(strings.ToLower(trimmed))
		if s.givers[h] == nil {
			s.givers[h] = &suspicious{}
		}
		s.givers[h].add(line, trimmed)
	}
	now := strings.ToLower(trimmed)
	if s.filled > 1 && now != s.last {
		less := now < s.last
		if s.isKey && allDigits(now) && allDigits(s.last) && len(now) != len(s.last) {
			less = len(now) < len(s.last)
		}
		s.falls = s.falls || less
		s.changes++
	}
	s.last = strings.Clone(now)
}

// readsLike reports whether a person takes a text for a word that it is not: its letters
// are of other alphabets or full-width ones, or there are signs around it.
func readsLike(text, word string) bool {
	first, last := text[0], text[len(text)-1]
	ascii := !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
	if len(word) < 4 || len(text) > 4*len(word) || ascii && isLetterOrDigit(rune(first)) && isLetterOrDigit(rune(last)) {
		return false
	}
	alike := strings.NewReplacer("Е", "E", "М", "M", "О", "O", "Ε", "E", "Μ", "M", "Ο", "O", "Ѵ", "V", "Ν", "V")
	letters := strings.TrimFunc(alike.Replace(norm.NFKC.String(strings.ToUpper(text))), func(r rune) bool { return !isLetterOrDigit(r) })
	return letters == strings.ToUpper(word)
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// mistyped reports whether a text in capitals is the word with a letter too many, too few or
// another one. A name such as Remoe is nobody's to guess.
func mistyped(text, word string) bool {
	letters := strings.NewReplacer("0", "O", "3", "E").Replace(text)
	return len(word) >= 4 && len(text) <= len(word)+1 && text == strings.ToUpper(text) &&
		editDistance([]rune(letters), []rune(word)) <= 1 && !readsLike(text, word)
}

// What makes a finding of rows.
const (
	rowsOfOneMail = 3  // that give different customers one address
	rowsOfLength  = 10 // of digits, of which one in ten at most may be shorter; any number of them where others are padded with zeros
	rowsOfOrder   = 20 // in which a column is in the alphabet's order, and so is the key
)

// findings are what is to be said of the columns, once all rows are there.
func findings(all []*suspect) (found []Finding) {
	sortedKey := slices.ContainsFunc(all, func(s *suspect) bool {
		return s.isKey && !s.falls && s.filled >= rowsOfOrder && s.changes == s.filled-1
	})
	for _, s := range all {
		tell := func(what suspicious, format string) {
			if what.rows > 0 {
				found = append(found, Finding{s.heading, what.rows, what.lines, fmt.Sprintf(format, quoted(what.cell))})
			}
		}
		tell(s.dates, "%s is a date where an id or a number belongs: a spreadsheet makes dates of ids such as 7-11")
		tell(s.unseen, "%s holds a space that is none (a non-breaking one, or one without width): a search will not find it")
		tell(s.quotes, "%s holds quotation marks, which an id or a number has not")
		tell(s.mistypes, "%s is almost "+s.clear+" and is a text: it would be written as it stands")
		usual, digits := 0, 0
		for n, of := range s.lengths {
			if digits += of.rows; usual == 0 || of.rows > s.lengths[usual].rows {
				usual = n
			}
		}
		short := suspicious{}
		for n := range usual {
			if of := s.lengths[n]; of != nil {
				short.rows, short.lines, short.cell = short.rows+of.rows, append(short.lines, of.lines...), of.cell
			}
		}
		slices.Sort(short.lines)
		short.lines = short.lines[:min(len(short.lines), linesOfFinding)]
		if s.padded || digits >= rowsOfLength && 10*short.rows <= digits {
			tell(short, "%s is shorter than the "+fmt.Sprint(usual)+" digits of the others: has a spreadsheet dropped leading zeros?")
		}
		var mails []suspicious
		for _, of := range s.givers {
			if of.rows >= rowsOfOneMail {
				mails = append(mails, *of)
			}
		}
		slices.SortFunc(mails, func(a, b suspicious) int { return cmp.Or(b.rows-a.rows, strings.Compare(a.cell, b.cell)) })
		for _, of := range mails[:min(len(mails), linesOfFinding)] {
			tell(of, "%s goes to several customers: is that meant, or was the cell filled down?")
		}
		text := !s.isKey && (s.field.Kind == Text || s.field.Kind == Email)
		if sortedKey && text && !s.falls && s.changes >= rowsOfOrder/2 && s.filled >= rowsOfOrder {
			found = append(found, Finding{s.heading, s.filled, []int{},
				"the cells are in the order of the alphabet, and the keys in order, too: was the column sorted apart from its key?"})
		}
	}
	return found
}
