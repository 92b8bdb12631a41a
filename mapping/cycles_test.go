package mapping

import (
	"iter"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func edgesOf(pairs [][2]uint64) iter.Seq2[uint64, uint64] {
	return func(yield func(child, parent uint64) bool) {
		for _, e := range pairs {
			if !yield(e[0], e[1]) {
				return
			}
		}
	}
}

// leads reports whether a walk up from one customer comes to another.
func leads(pairs [][2]uint64, from, to uint64, seen map[uint64]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(pairs, func(e [2]uint64) bool {
		return e[0] == from && e[1] != 0 && !seen[e[1]] && leads(pairs, e[1], to, seen)
	})
}

func TestCyclesAreThoseThatAWalkFinds(t *testing.T) {
	customer := rapid.Uint64Range(0, 7)
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]uint64 {
			return [2]uint64{customer.Draw(t, "child"), customer.Draw(t, "parent")}
		}), 0, 14).Draw(t, "edges")
		var children, parents []uint64
		var want []int
		for n, e := range pairs {
			children, parents = append(children, e[0]), append(parents, e[1])
			if e[0] != 0 && e[1] != 0 && leads(pairs, e[1], e[0], map[uint64]bool{}) {
				want = append(want, n)
			}
		}
		if got := slices.Collect(cycles(children, parents)); !slices.Equal(got, want) {
			t.Fatalf("edges %v: got %v, want %v", pairs, got, want)
		}
	})
}

// A chain may be as long as the file, with its ends tied or not.
func TestCyclesOfALongChain(t *testing.T) {
	const long = 100_000
	chain := func(yield func(child, parent uint64) bool) {
		for n := range uint64(long) {
			if !yield(n+1, n+2) {
				return
			}
		}
	}
	if got := Cycles(chain); len(got) != 0 {
		t.Errorf("%d customers on a cycle of an open chain", len(got))
	}
	tied := func(yield func(child, parent uint64) bool) {
		chain(yield)
		yield(long+1, 1)
	}
	if got := Cycles(tied); len(got) != long+1 {
		t.Errorf("%d customers on the cycle", len(got))
	}
}

func TestCycles(t *testing.T) {
	for _, c := range []struct {
		edges [][2]uint64
		want  []uint64
	}{
		{nil, nil},
		{[][2]uint64{{1, 2}, {2, 3}}, nil},
		{[][2]uint64{{5, 5}}, []uint64{5}},
		{[][2]uint64{{1, 2}, {2, 1}, {3, 1}}, []uint64{1, 2}},
		{[][2]uint64{{1, 2}, {2, 3}, {3, 4}, {4, 2}, {7, 8}, {8, 7}}, []uint64{2, 3, 4, 7, 8}},
		{[][2]uint64{{1, 1}, {1, 2}}, []uint64{1}},
		{[][2]uint64{{1, 2}, {2, 1}, {1, 3}}, []uint64{1, 2}},
		{[][2]uint64{{1, 2}, {2, 1}, {2, 3}, {3, 4}, {4, 5}, {5, 4}}, []uint64{1, 2, 4, 5}},
		{[][2]uint64{{1, 2}, {1, 3}, {2, 4}, {3, 4}, {4, 5}}, nil},
		{[][2]uint64{{1, 2}, {2, 1}, {2, 0}}, []uint64{1, 2}},
	} {
		got := Cycles(edgesOf(c.edges))
		if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, c.want) {
			t.Errorf("%v: got %v, want %v", c.edges, ids, c.want)
		}
	}
}
