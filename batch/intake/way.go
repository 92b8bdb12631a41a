package intake

import (
	"fmt"

	"rowbatch/batch"
)

// The ways in which current records are found (--lookup).
const (
	LookupAuto = "auto"
	LookupList = "list" // page through the customer list
	LookupIDs  = "ids"  // ask for sets of ids
	LookupEach = "each" // one request a row
)

// Lookups are the ways, in the order in which help lists them.
func Lookups() []string { return []string{LookupAuto, LookupList, LookupIDs, LookupEach} }

// FewRows is up to how many requests are made one by one without asking how long the list is.
const FewRows = 50

// fewSets is up to how many sets are asked for without asking how long the list is:
// that costs one request, and may save all but one.
const fewSets = 2

// setSize is about how many ids one request can ask for.
const setSize = 200

// SetsOf is how many requests ask for so many customers in sets.
func SetsOf(customers int) int { return (customers + setSize - 1) / setSize }

// Need is what is to be found out.
type Need struct {
	Reads    int  // customers to be read, those behind references among them
	Searches int  // references to be searched for, which sets of ids do not spare
	Sure     bool // whoever is found needs no read; else only who is as the row wants him, which a tenth is taken for
}

// Ways are what is known of the ways when one is chosen.
type Ways struct {
	How    string // auto, or the one that is asked for
	Pages  int    // of the list; 0: its first page was not asked for
	NoSets bool   // the search by ids is not to be relied on
}

// What Pages is where there is no number.
const (
	untold     = -1 // nothing says how many there are
	unreadable = -2 // the list cannot be had
)

// way returns the way that takes the fewest requests, and why. It is also the list where
// its first page is worth its request: only that tells how many there are.
func (n Need) way(w Ways) (way, why string) {
	sets, spared := SetsOf(n.Reads), n.Reads/10
	if n.Sure {
		spared = n.Reads - 1
	}
	useSets := !w.NoSets && sets > 0 && sets <= spared
	useList := w.Pages > 0 && w.Pages <= max(spared, n.Searches-1)
	if useSets {
		useList = useList && w.Pages-1 < n.Searches+sets // the first is here
	}
	mayAsk := max(n.Reads, n.Searches) > FewRows
	if useSets {
		mayAsk = n.Searches > FewRows || sets > fewSets
	}
	switch {
	case w.How == LookupEach, n.Reads+n.Searches == 0:
		return LookupEach, "it is asked for, or there is nothing to spare"
	case w.How == LookupList && w.Pages != unreadable, w.How == LookupIDs && !w.NoSets && sets > 0:
		return w.How, "it is asked for"
	case useList, w.Pages == 0 && mayAsk:
		way = LookupList
	case useSets:
		way = LookupIDs
	default:
		way = LookupEach
	}
	inSets, byList := batch.Thousands(n.Searches+sets)+" with sets of ids", batch.Thousands(w.Pages)+" by the list"
	if w.NoSets {
		inSets = "sets of ids are not to be relied on"
	}
	switch w.Pages {
	case 0:
		byList = "the list was not asked how long it is"
	case untold:
		byList = "the list does not say how long it is"
	case unreadable:
		byList = "the list is of no use"
	}
	return way, fmt.Sprintf("one by one it takes %s, %s, %s", batch.Plural(n.Reads+n.Searches, "request"), inSets, byList)
}
