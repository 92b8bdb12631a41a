package runs

import (
	"slices"
	"strconv"
	"testing"
)

// Every place of a key is found, in order; and hardly any of another's, however
// few bits are left of the hash.
func TestKeyIndex(t *testing.T) {
	const keys = 10_000
	for name, farthest := range map[string]int64{"rows": 2*keys - 1, "a file of a terabyte": 1<<40 - 1} {
		t.Run(name, func(t *testing.T) {
			x := NewKeyIndex(2*keys, farthest)
			step := farthest / (2*keys - 1)
			for n := range int64(2 * keys) {
				x.Add("id="+strconv.FormatInt(n%keys, 10), n*step)
			}
			x.Finish()
			strangers := 0
			for n := range int64(keys) {
				found := slices.Collect(x.Find("id=" + strconv.FormatInt(n, 10)))
				if !slices.IsSorted(found) || !slices.Contains(found, n*step) || !slices.Contains(found, (n+keys)*step) {
					t.Fatalf("key %d is found at %d, and stands at %d and %d", n, found, n*step, (n+keys)*step)
				}
				strangers += len(found) - 2
			}
			if strangers > 100 { // 12 are to be expected of 24 bits
				t.Errorf("%d places of other keys", strangers)
			}
			if all := slices.Collect(NewKeyIndex(0, 0).Find("id=1")); len(all) > 0 {
				t.Errorf("an empty index finds %d", all)
			}
		})
	}
}
