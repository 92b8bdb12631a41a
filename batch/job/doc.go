// Package job is the life of a run, without a screen: it makes plans and carries
// them out.
//
// Every command builds one [Plan]: [File] of a file's rows (to be sent, or in a
// dry run only to be looked at), [Apply] of what a dry run has shown, [Undo] of
// what an earlier run has sent, [Resume] of what any of these has left undone.
// All plans are carried out by one function, execute (execute.go):
//
//	mayHold   refuses to hold many customers on a mere --yes
//	open      begins the journal, or goes on with it: then every row is accounted for
//	lookUp    finds out whom the rows are about: ids, names of tracking codes, the list or sets
//	survey    lets the engine read and send nothing, to learn what would change
//	consent   compares that with --expect, and asks
//	pass      lets the engine send the rows that are not settled
//	finish    ends the journal, writes the report, makes the [Result]
//
// A dry run ends after the survey; a run that nobody must agree to has none. What
// kind of run it is stands in the plan as values (Settings, Rows, Known, Past), and
// each step reads those.
//
// # Settings
//
// All that a user sets of a run is one struct, [Settings]. A field of it is a flag
// ([Settings.Bind]), is kept in the journal's head, and is written back as a command
// line ([Settings.Words]): there is no second list of options.
//
// # Fronts
//
// What there is to see goes to a [Front] as [Event] values, and what a person must
// decide is put to it as a [Question]. Whoever has a front, settings and accounts
// makes a [Job] of them and calls File, Apply, Resume or Undo. The terminal
// (batch/ui) is one front; the tests drive all of this through another, without a
// screen (front_test.go).
package job
