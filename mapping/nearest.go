package mapping

import (
	"strings"

	"rowbatch/mapping/csvfile"
)

// Nearest returns the name that somebody who typed another most likely meant;
// false when none is near. Letter case, spaces, _ and - do not count.
func Nearest(name string, of []string) (string, bool) {
	typed := []rune(csvfile.Fold(name))
	best, least := "", min(max(len(typed)/3, 1)+1, len(typed))
	for _, candidate := range of {
		known := csvfile.Fold(candidate)
		if strings.HasSuffix(known, "."+string(typed)) {
			return candidate, true // reference2 is customerReference.reference2, not reference
		}
		if d := editDistance(typed, []rune(known)); d < least {
			best, least = candidate, d
		}
	}
	return best, best != ""
}

// editDistance counts inserted, removed, replaced and swapped neighbouring letters.
func editDistance(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		now[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// didYouMean is the end of a message about an unknown name.
func didYouMean(name string, of []string) string {
	if near, ok := Nearest(name, of); ok {
		return "; did you mean " + near + "?"
	}
	return ""
}
