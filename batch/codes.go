package batch

import (
	"fmt"
	"strings"
)

// Code is one rb_error_code: in which outcomes it occurs and what the user does about it.
type Code struct {
	Name  string `json:"code"`
	Kinds []Kind `json:"outcomes"`
	Means string `json:"means"`
	Fix   string `json:"fix"`
}

// Codes returns the one table of error codes; help and report read it.
func Codes() []Code {
	f, c, d, n := []Kind{Failed}, []Kind{Conflict}, []Kind{InDoubt}, []Kind{NotAttempted}
	return append(rejections(), []Code{
		{"not_applied", f, "accepted, but the customer does not show the value, or the reply does not say that it was taken",
			"look at the customer in the account before sending the row again"},
		{"side_effect", f, "the write moved a field that the row did not name",
			"look at the customer in the account before going on; " +
				"rb_error names the field, and what to type if the server moves it by itself"},
		{"http_<code>", []Kind{Failed, Rejected},
			"the server refused the write (failed) or the read before it (rejected) with this HTTP status",
			"read rb_error, correct the row and run it again"},
		{"match_failed", c, "the record is not the one that the row describes", "check the key and the guard column"},
		{"changed_since_plan", c, "the record is not as it was when the change was planned",
			"look at the customer in the account, and plan the change again"},
		{"changed_since_export", c, "a cell was edited here, and since the export somewhere else too",
			"rb_error shows the value exported, the one now, and yours: " +
				"export the customer again, or run the row with --no-base, which writes all its cells"},
		{"changed_since_run", c, "somebody else has changed what is to be put back",
			"look at the customer in the account; --keep-theirs puts back the row's other fields"},
		{"no_answer", d, "a write went out, and no answer came, or reads did not show yet what it said",
			"resume the run: that reads the customer back and settles the row"},
		{noReadBack, d, "a patch went out and no answer came, and the API has no call that shows the customer",
			"resume --failed sends the same values again, which does no harm where they are set already"},
		{"changed_meanwhile", d, "after a lost answer the record shows neither the old nor the new values",
			"look at the customer in the account: somebody else changed it at the same time"},
		{"internal_error", []Kind{Rejected, InDoubt}, "a fault in this program", "report it with the text of rb_error"},
		{"stopped", n, "the run stopped before this row", "resume the run, which goes on here"},
		{"not_confirmed", n, "nothing was sent, since nobody agreed to it", "the same command again, when it is to be sent"},
		{"server_unavailable", n, "the server did not answer for this row", "resume the run, when the server answers again"},
	}...)
}

// rejections are the codes of rows that are not sent because of themselves or of the record.
func rejections() []Code {
	r := []Kind{Rejected}
	return []Code{
		{"bad_id", r, "an id that is not a whole number without leading zeros", "correct the id; the customer's page shows it"},
		{"missing_key", r, "the key cell is blank", "fill in the customer's id or reference"},
		{"bad_value", r, "a value that the field cannot take", "correct the cell"},
		{"too_long", r, "a text longer than the field", "shorten the cell"},
		{"not_allowed_value", r, "a value outside the field's or the mapping's list", "use one of the listed values"},
		{"not_clearable", r, "a field that must not be cleared",
			"leave the cell blank, or name the field in the mapping file's allow_clear where that is possible"},
		{"clear_word_case", r, "the clear word in other letter case or letters, with spaces or signs around it",
			`write REMOVE exactly to clear the field, or \REMOVE to mean the word itself`},
		{"masked_value", r, "a masked password", "put the real password into the cell, or leave it blank"},
		{"spreadsheet_damage", r, "a cell that the spreadsheet has damaged",
			"correct the cell in the spreadsheet, in a column formatted as text, which keeps what is typed; " +
				"if it is meant as it stands, put a backslash before it"},
		{"no_value_word", r, "a word that programs write where there is no value, such as N/A or null",
			`leave the cell blank to keep the field, write REMOVE to clear it, put a backslash before a word that is meant; ` +
				`--blanks "N/A" makes it blank in all cells`},
		{"ragged_row", r, "a row with more or fewer cells than the heading",
			"quote cells that hold the delimiter; close or double quotation marks gone astray; give the row as many cells as the heading"},
		{"duplicate_row", r, "several rows for one customer",
			"keep one row for each customer, or pass --allow-duplicates to run them in file order"},
		{"reference_chain", r, "a new reference that is another row's reference",
			"give each customer a reference of its own, or split the file into two runs"},
		{"earlier_row_failed", r, "an earlier row of this customer did not succeed",
			"settle the earlier row first, then run this one again"},
		{"not_found", r, "no such customer", "check the key; is this the right account?"},
		{"not_in_export", r, "a row with rb_export whose customer was not in that export",
			"correct the key, or empty rb_export for a row of your own"},
		{"ambiguous_reference", r, "several customers with this reference", "use the customer's id instead"},
		{"unknown_action", r, "an action column that names no action", "write update, hold, latch or patch"},
		{"bad_status", r, "a customer whose status forbids the change", "change the customer's status first, or take the row out"},
		{"unknown_tracking_code", r, "a sales tracking code that the account does not have",
			"create the code in the account, or correct the cell"},
		{"already_linked", []Kind{Rejected, Failed},
			"a HubSpot contact or company that another row claims (rejected) or another customer has (failed)",
			"decide which customer it belongs to, and unlink it from the other first"},
		{"cannot_read_link", r, "a customer whose links to other systems the API does not show",
			"edit this customer by hand: a link that is not sent would be cleared"},
		{"when_error", r, "the --when expression cannot be evaluated for this customer",
			"read rb_error; make the expression say what is to happen where a value is missing"},
		{"unreadable_record", r, "a record of a form that cannot be edited safely", "edit this customer by hand"},
	}
}

// CodeOf returns a code of the table; http_<code> stands for every HTTP status.
func CodeOf(name string) Code {
	if strings.HasPrefix(name, "http_") {
		name = "http_<code>"
	}
	for _, c := range Codes() {
		if c.Name == name {
			return c
		}
	}
	return Code{}
}

// Fix returns what the user does about a code.
func Fix(code string) string { return CodeOf(code).Fix }

// HTTPCode returns the error code of a write that the server refused with this status.
func HTTPCode(status int) string { return fmt.Sprintf("http_%d", status) }

// The exit codes of the program. 1 and 2 are never used on purpose: a crash ends in 2.
const (
	ExitDone      = 0
	ExitRows      = 3
	ExitDoubt     = 4
	ExitStopped   = 5
	ExitUsage     = 10
	ExitInput     = 11
	ExitLocked    = 12
	ExitAccess    = 13
	ExitUnfit     = 14
	ExitFiles     = 15
	ExitInterrupt = 130
	ExitTerminate = 143
)

// ExitCode is one exit code and what it says about the command that ended with it.
type ExitCode struct {
	Code  int    `json:"exit_code"`
	Means string `json:"means"`
}

// ExitCodes returns the one table of exit codes; help reads it.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{ExitDone, "every row changed, unchanged, would_change or skipped"},
		{ExitRows, "finished; some rows rejected, failed or conflict"},
		{ExitDoubt, "finished; some rows in_doubt"},
		{ExitStopped, "stopped early, or some rows the server would not answer for"},
		{ExitUsage, "usage or settings"},
		{ExitInput, "the input was refused, nothing was sent"},
		{ExitLocked, "another run holds this account's lock"},
		{ExitAccess, "credentials or access refused, or a wrong address: nobody has ever answered there, or not the API"},
		{ExitUnfit, "the plan or run no longer fits, or --expect-no-changes finds one; nothing was sent"},
		{ExitFiles, "the run's own files could not be written, or are not what its journal says; no further request was sent"},
		{ExitInterrupt, "stopped by Ctrl-C"},
		{ExitTerminate, "stopped by SIGTERM"},
	}
}

// ExitOf returns the exit code of a run of these outcomes that was not ended by something graver.
func ExitOf(outcomes map[Kind]int) int {
	switch {
	case outcomes[NotAttempted] > 0:
		return ExitStopped
	case outcomes[InDoubt] > 0:
		return ExitDoubt
	case outcomes[Rejected]+outcomes[Failed]+outcomes[Conflict] > 0:
		return ExitRows
	}
	return ExitDone
}
