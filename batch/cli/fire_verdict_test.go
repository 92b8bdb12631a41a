package cli_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

// order is what a row of a file asks for.
type order struct {
	action, key string
	customer    string            // as the ledger calls him
	want        map[string]string // field → raw value, of the cells that are not blank
	giver       string            // the customer who has to give a link away first
	stuck       bool              // that customer cannot
}

// kinds are the writes by which an order can be carried out.
func (o order) kinds() []string {
	return map[string][]string{"update": {"put"}, "hold": {"hold"}, "latch": {"latch", "unlatch"}, "patch": {"patch"}}[o.action]
}

// is says that an effect gave the customer what the order wants.
func (o order) is(e sandbox.Effect) bool {
	for field, want := range o.want {
		if rawValue(e.After, field) != want {
			return false
		}
	}
	return slices.Contains(o.kinds(), e.Kind)
}

// moved are the values that an effect changed, and the order does not name. A link
// that the record lacked altogether comes up as null once links are set.
func (o order) moved(e sandbox.Effect) []string {
	named := slices.Collect(maps.Keys(o.want))
	for _, link := range []string{"hubSpotId", "hubSpotCompanyId"} {
		if o.action == "latch" && rawValue(e.Before, link) == "" && rawValue(e.After, link) == "null" {
			named = append(named, link)
		}
	}
	return movedFields(e.Before, e.After, named)
}

// verdict is what the report says of a row.
type verdict struct {
	line, action, key, outcome, code string
	sends                            int
	changes                          map[string]string // field → raw value after
}

func (f *fireRun) verdicts(t *testing.T) (all []verdict) {
	t.Helper()
	s := f.report(t)
	column := func(name string) func(int) string {
		cells := s.column(name)
		return func(i int) string { return cells[i] }
	}
	action, key, outcome, code := column("rb_action"), column("rb_key"), column("rb_outcome"), column("rb_error_code")
	changes, attempts := column("rb_changes"), column("rb_attempts")
	for i, line := range s.column("rb_line") {
		v := verdict{line: line, action: action(i), key: key(i), outcome: outcome(i), code: code(i), changes: map[string]string{}}
		v.sends, _ = strconv.Atoi(attempts(i)) // blank: none
		gjson.Parse(changes(i)).ForEach(func(_, c gjson.Result) bool {
			v.changes[c.Get("field").Str] = c.Get("after").Raw
			return true
		})
		all = append(all, v)
	}
	return all
}

// mayHaveActed says that a row's write may have taken effect, though it is not known to be as asked for.
func (v verdict) mayHaveActed() bool {
	return v.outcome == "in_doubt" || v.outcome == "failed" && (v.code == "not_applied" || v.code == "side_effect")
}

// judge holds the report against the file and against the ledger, and tells every breach.
func (f *fireRun) judge(all []verdict, ledger map[string][]sandbox.Effect) (breaches []string) {
	note := func(format string, args ...any) { breaches = append(breaches, fmt.Sprintf(format, args...)) }
	if len(all) != len(f.orders) {
		note("%d rows in the report, %d in the file", len(all), len(f.orders))
		return breaches
	}
	left := maps.Clone(ledger)
	for n, v := range all {
		o := f.orders[n]
		if v.line != strconv.Itoa(n+2) || v.action != o.action || v.key != o.key {
			note("row %d of the file (%s %s) stands in the report as line %s: %s %s", n, o.action, o.key, v.line, v.action, v.key)
		}
		took, problem := o.take(v, left[o.customer])
		if problem != "" {
			note("line %s (%s %s, %s %s): %s", v.line, o.action, o.key, v.outcome, v.code, problem)
		}
		left[o.customer] = left[o.customer][took:]
	}
	for customer, rest := range left {
		for _, e := range rest {
			note("customer %s: effect %d (%s) belongs to no row, or to none in this order", customer, e.Seq, e.Kind)
		}
	}
	return append(breaches, heldTwice(ledger)...)
}

// take says how many of a customer's next effects are the row's, and what is wrong with them.
func (o order) take(v verdict, next []sandbox.Effect) (took int, problem string) {
	if v.outcome == "changed" || v.mayHaveActed() {
		most := 1
		if o.action == "patch" { // which cannot be read back, and is sent again as it was
			most = v.sends
		}
		for took < most && took < len(next) && o.is(next[took]) {
			if moved := o.moved(next[took]); len(moved) > 0 {
				return took + 1, fmt.Sprintf("the write moved what the row does not name: %v", moved)
			}
			took++
		}
	}
	if v.outcome != "changed" {
		return took, ""
	}
	for field, after := range v.changes {
		want, named := o.want[field]
		if named && field == "password" {
			want = `"***"`
		}
		if !named || want != after {
			return took, fmt.Sprintf("rb_changes has %s as %s, and the row asks for %q", field, after, want)
		}
	}
	switch {
	case took == 0:
		return 0, "the customer's next effect is another, or there is none"
	case len(v.changes) == 0:
		return took, "rb_changes is empty"
	}
	return took, ""
}

func heldTwice(ledger map[string][]sandbox.Effect) (breaches []string) {
	for customer, effects := range ledger {
		holds := 0
		for _, e := range effects {
			if e.Kind == "hold" {
				holds++
			}
		}
		if holds > 1 {
			breaches = append(breaches, fmt.Sprintf("customer %s was held %d times", customer, holds))
		}
	}
	return breaches
}
