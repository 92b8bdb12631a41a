// Package cli is the command line: commands and flags, settings, questions,
// progress, and the wiring of the other packages into a run.
//
// What is where, in the order in which a run comes by:
//
//	cli.go                the root command; Main
//	actions.go            the commands that send a file: update, hold, latch, patch, run
//	job.go                what such a command carries out: one action, or those of a mixed file
//	flags.go              flags of a file, flags_run.go of any run, flags_pace.go --rate and --workers
//	flags_set.go          the flags that were set, to be repeated in the next command
//	console.go            the three streams, and whether a person sits there
//	exit.go               exit codes, and what makes which of them
//
//	run.go                a run through all its stages
//	run_work.go           what it has to do, and what it remembers of each row
//	run_head.go           what the journal says of it, run_finish.go its end
//	garbage.go            how much memory it may take
//	account.go            settings and keys, services.go the systems that a run speaks with
//	lock.go               one live run of an account at a time
//
//	intake.go             a file checked and copied, intake_stdin.go if it is standard input
//	intake_bases.go       what its rows were when they were exported
//	intake_reopen.go      the copied rows of an earlier run, understood anew
//	rows.go               copied rows become items
//	conditions.go         --when, and shard.go --shard
//
//	lookup.go             whom the rows are about, by searches
//	lookup_choice.go      or --lookup: the list of customers, where that costs less
//	lookup_finder.go      the rows that a customer of the list stands in
//	lookup_list.go        the list held against the rows
//	lookup_references.go  what the whole list tells of references
//	lookup_pending.go     outcomes that wait for that, in a file
//
//	tally.go              rows counted as they end, tally_failures.go when there are too many failures
//	preview.go            what would change, preview_stakes.go what money is at stake
//	question.go           may it be sent?
//	forecast.go           how long that takes, forecast_demand.go how many requests it is
//	progress.go           the bar, progress_phase.go with what a phase takes
//	summary.go            what has happened, summary_waited.go what it waited for
//	summary_next.go       the command to type next
//	text.go               numbers and durations for people
//
//	again.go              what apply, resume and undo have in common
//	again_past.go         an earlier run's rows as work
//	again_evidence.go     whether the account is still the same
//	apply.go, resume.go, undo.go
//
//	export.go             customers to a file, export_flags.go its flags
//	export_read.go        page by page
//	export_named.go       those of a file, export_list.go read from the list
//	export_demand.go      what that takes, export_say.go what it has brought
//
//	runs.go               the commands runs and report
//	fields.go, help.go, sandbox.go
package cli
