// Package job is the life of a run, without a screen: it makes plans and carries
// them out.
//
// Every command builds one [Plan]: [File] of a file's rows (to be sent, or in a
// dry run only to be looked at), [Apply] of what a dry run has shown,
// [Undo] of what an earlier run has sent, [Resume] of what any of these has
// left undone. All plans are carried out by one function, execute: look up, survey,
// ask, send, report.
//
// What there is to see goes to a [Front] as [Event] values, and what a person must
// decide is put to it as a [Question]. A terminal is one front, a page another.
package job
