package sandbox

import (
	"iter"
	"slices"
	"strconv"
)

// book is one system's customers: as born, or as the last write left them.
type book struct {
	prefix  string // of an id in the ledger
	idField string // the record's own id
	born    interface{ body(id int64) ([]byte, bool) }
	edited  map[int64][]byte
	indexes []*index
}

func (b *book) body(id int64) ([]byte, bool) {
	if body, ok := b.edited[id]; ok {
		return body, true
	}
	return b.born.body(id)
}

func (b *book) ledgerID(id int64) string { return b.prefix + strconv.FormatInt(id, 10) }

func (b *book) adopt(id int64, before, after []byte) {
	b.edited[id] = after
	for _, ix := range b.indexes {
		ix.move(id, before, after)
	}
}

// index finds the customers that a key belongs to. It is empty until it is built,
// and follows every write from then on.
type index struct {
	keys func(body []byte) []string
	ids  map[string][]int64
}

func (ix *index) build(all iter.Seq[int64], body func(int64) ([]byte, bool)) {
	if ix.ids != nil {
		return
	}
	ix.ids = map[string][]int64{}
	for id := range all {
		b, _ := body(id)
		ix.add(id, ix.keys(b))
	}
}

func (ix *index) add(id int64, keys []string) {
	for _, k := range keys {
		ix.ids[k] = append(ix.ids[k], id)
	}
}

func (ix *index) move(id int64, before, after []byte) {
	if ix.ids == nil {
		return
	}
	was, is := ix.keys(before), ix.keys(after)
	if slices.Equal(was, is) {
		return
	}
	for _, k := range was {
		ix.ids[k] = slices.DeleteFunc(ix.ids[k], func(n int64) bool { return n == id })
		if len(ix.ids[k]) == 0 {
			delete(ix.ids, k)
		}
	}
	ix.add(id, is)
}
