package cli

import (
	"slices"

	"rowbatch/batch/action"
)

// pagesDemand is what remains to be asked for once the first page of the list is there.
func (x *export) pagesDemand(page []fetched, total int) demand {
	d := demand{together: 1}
	if len(page) > 0 {
		d.fusebill = (total - 1) / len(page)
	}
	if len(x.needed) > 0 {
		d.fusebill += total
	}
	if x.showsOverview() {
		d.fusebill += total
	}
	return d
}

// namedDemand is what the customers that FILE names take, each of them once.
func (x *export) namedDemand() demand {
	d := demand{together: 1, atMost: true}
	for n := range x.in.checked.Rows {
		if !x.in.checked.OK(n) {
			continue
		}
		if x.showsOverview() {
			d.fusebill++
		}
		if x.listed.has(n) {
			continue
		}
		if d.fusebill++; x.in.checked.KeyField(n) == "reference" {
			d.fusebill++
		}
	}
	return d
}

func (x *export) showsOverview() bool {
	return slices.ContainsFunc(x.columns, func(c action.ExportColumn) bool { return c.Overview })
}
