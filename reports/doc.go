// Package reports derives a run's report files from its journal and its copy of
// the input's rows, and from nothing else: they can be written at any time, again,
// and for a run that was killed, and always agree with what was sent.
//
// A row without an outcome in the journal is in_doubt when the intent of a write
// is there, and not_attempted otherwise.
package reports
