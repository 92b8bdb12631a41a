package csvfile

import (
	"cmp"
	"fmt"
)

// Dialect is how the input is written.
type Dialect struct {
	Delimiter rune
	Encoding  string // UTF-8, UTF-16LE, windows-1252, …
}

// String describes the dialect for people, such as "UTF-8, delimiter ;".
func (d Dialect) String() string {
	name := cmp.Or(map[rune]string{'\t': "tab", ' ': "space"}[d.Delimiter], string(d.Delimiter))
	return fmt.Sprintf("%s, delimiter %s", d.Encoding, name)
}

// delimiterOf picks the candidate that separates most, outside quotes, in the
// heading line; of equals the first, and the comma when there is none at all.
func delimiterOf(heading []byte) rune {
	counts := map[byte]int{}
	inQuotes := false
	for _, b := range heading {
		if b == '"' {
			inQuotes = !inQuotes
		} else if !inQuotes {
			counts[b]++
		}
	}
	best := byte(',')
	for _, candidate := range []byte(Delimiters) {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return rune(best)
}

// Delimiters are those that detection knows.
const Delimiters = ",;\t|"
