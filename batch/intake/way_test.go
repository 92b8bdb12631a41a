package intake

import "testing"

// The way that takes the fewest requests, by what is known of the rows and of the list.
func TestWay(t *testing.T) {
	for _, c := range []struct {
		name string
		need Need
		ways Ways
		want string
	}{
		{"nothing is needed", Need{}, Ways{How: LookupAuto}, LookupEach},
		{"too few for a set", Need{Reads: 9}, Ways{How: LookupAuto}, LookupEach},
		{"enough for a set", Need{Reads: 10}, Ways{How: LookupAuto}, LookupIDs},
		{"two, of whom none needs a read then", Need{Reads: 2, Sure: true}, Ways{How: LookupAuto}, LookupIDs},
		{"one", Need{Reads: 1, Sure: true}, Ways{How: LookupAuto}, LookupEach},
		{"two sets", Need{Reads: 400}, Ways{How: LookupAuto}, LookupIDs},
		{"three: how long is the list?", Need{Reads: 401}, Ways{How: LookupAuto}, LookupList},
		{"the list is shorter than the sets", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: 10}, LookupList},
		{"the first page is here", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: 50}, LookupList},
		{"the sets are as few", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: 51}, LookupIDs},
		{"a large account", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: 1000}, LookupIDs},
		{"nobody knows how long the list is", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: untold}, LookupIDs},
		{"there is no list", Need{Reads: 10_000}, Ways{How: LookupAuto, Pages: unreadable}, LookupIDs},

		{"no sets, few rows", Need{Reads: 50}, Ways{How: LookupAuto, NoSets: true}, LookupEach},
		{"no sets: how long is the list?", Need{Reads: 51}, Ways{How: LookupAuto, NoSets: true}, LookupList},
		{"no sets, a tenth of the rows in pages", Need{Reads: 100}, Ways{How: LookupAuto, NoSets: true, Pages: 10}, LookupList},
		{"no sets, and more pages", Need{Reads: 100}, Ways{How: LookupAuto, NoSets: true, Pages: 11}, LookupEach},
		{"no sets and no list", Need{Reads: 10_000}, Ways{How: LookupAuto, NoSets: true, Pages: unreadable}, LookupEach},

		{"few references", Need{Reads: 50, Searches: 50}, Ways{How: LookupAuto}, LookupIDs},
		{"more references: how long is the list?", Need{Reads: 51, Searches: 51}, Ways{How: LookupAuto}, LookupList},
		{"fewer pages than references", Need{Reads: 51, Searches: 51}, Ways{How: LookupAuto, Pages: 50}, LookupList},
		{"as many pages", Need{Reads: 51, Searches: 51}, Ways{How: LookupAuto, Pages: 51}, LookupIDs},
		{"references alone", Need{Searches: 60}, Ways{How: LookupAuto, Pages: 59}, LookupList},
		{"references alone, and as many pages", Need{Searches: 60}, Ways{How: LookupAuto, Pages: 60}, LookupEach},

		{"the list is asked for", Need{Reads: 1}, Ways{How: LookupList}, LookupList},
		{"it cannot be read", Need{Reads: 1}, Ways{How: LookupList, Pages: unreadable}, LookupEach},
		{"sets are asked for", Need{Reads: 1}, Ways{How: LookupIDs}, LookupIDs},
		{"they are not to be relied on", Need{Reads: 10}, Ways{How: LookupIDs, NoSets: true}, LookupEach},
		{"neither is asked for", Need{Reads: 10_000, Searches: 10_000}, Ways{How: LookupEach}, LookupEach},
	} {
		t.Run(c.name, func(t *testing.T) {
			if way, why := c.need.way(c.ways); way != c.want || why == "" {
				t.Errorf("%s, since %s", way, why)
			}
		})
	}
}
