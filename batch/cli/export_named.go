package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch/action"
	"rowbatch/mapping"
)

// readNamed exports the customers that FILE names, from the list as far as it
// shows them.
func (x *export) readNamed() error {
	var err error
	x.listed, err = x.namedInList()
	if err == nil {
		done := x.startPhase("exporting", x.rows.rows(), x.written, x.namedDemand())
		err = x.fromFile()
		done()
	}
	return errors.Join(err, x.listed.close())
}

// fromFile reads the customers that FILE names, in its order.
func (x *export) fromFile() error {
	page := make([]fetched, 0, pageRows)
	references := map[int]string{}
	flush := func() error {
		err := x.resolve(page, references)
		if err == nil {
			page = slices.DeleteFunc(page, x.isNamed)
			err = x.complete(page)
		}
		if err == nil {
			err = x.add(page)
		}
		page = page[:0]
		clear(references)
		return err
	}
	for row, err := range x.rows.read() {
		if err != nil {
			return err
		}
		f := fetched{line: row.Line}
		switch p := x.in.checked.Problem(row.N); {
		case p != nil && p.Code == "ragged_row":
			f.problem = p
		default:
			mapped := x.rows.mapped(row)
			switch {
			case mapped.Key == "":
				f.problem = &mapped.Problems[0]
			case x.listed.has(row.N):
				if f.id, f.record, err = x.listed.customer(row.N); err != nil {
					return err
				}
			case mapped.KeyField == "reference":
				references[len(page)] = strings.Clone(mapped.Key)
			default:
				f.id = strings.Clone(mapped.Key)
			}
		}
		if page = append(page, f); len(page) == pageRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if x.again > 0 && !x.console.quiet {
		verb := "name"
		if x.again == 1 {
			verb = "names"
		}
		fmt.Fprintf(x.console.err, "%s: %s %s a customer again, who is exported once\n", x.file, plural(x.again, "row"), verb)
	}
	return nil
}

// isNamed says that a row's customer is exported already.
func (x *export) isNamed(f fetched) bool {
	if f.problem != nil || !x.named[f.id] {
		x.named[f.id] = true
		return false
	}
	x.again++
	return true
}

// resolve finds the ids behind the references of a page.
func (x *export) resolve(page []fetched, references map[int]string) error {
	l := &action.Lookup{Fusebill: x.services.Fusebill.Client, Workers: x.flags.workers}
	ask := func(yield func(int, string) bool) {
		for at, ref := range references {
			if !yield(at, ref) {
				return
			}
		}
	}
	return l.References(x.stop, ask, func(at int, f action.Found) {
		switch {
		case f.Out != nil:
			page[at].problem = &mapping.Problem{Code: f.Out.Code, Text: f.Out.Error}
		case f.ID != 0:
			page[at].id = strconv.FormatUint(f.ID, 10)
		}
	})
}
