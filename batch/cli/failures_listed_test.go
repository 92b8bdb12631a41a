package cli_test

import "testing"

// Customers who cannot be edited stand here and there in a file whose other rows
// need nothing. How those were looked up does not decide whether the run goes on.
func TestFailuresAmongRowsOfTheList(t *testing.T) {
	a := smallAccount(t)
	some := a.some(130)
	for n, c := range some {
		if n%10 == 3 {
			a.Edit(c.id, setting("status", `"Cancelled"`))
		}
	}
	a.run(t, "update", a.edits(t, "id", some, 0), "--lookup", "each").want(t, "get=130", "rejected=13 unchanged=117")
	a.run(t, "update", a.edits(t, "id", some, 0)).want(t, "list=1 get=13", "rejected=13 unchanged=117")

	for _, c := range some[40:65] {
		a.Edit(c.id, setting("status", `"Cancelled"`))
	}
	for _, how := range []string{"each", "list"} {
		if b := a.runTo(t, "update", a.edits(t, "id", some, 0), "--lookup", how); b.code != 5 || b.outcomes["not_attempted"] == 0 {
			t.Errorf("--lookup %s: exit %d, %v, though 25 rows fail that follow each other", how, b.code, b.outcomes)
		}
	}
}
