// Package intake turns a file into a run's work: its rows are read and checked
// once, copied into the run's folder, and from there become items for the engine.
//
//   - [Read] checks a file whole and copies it; [Reopen] understands the copy of an
//     earlier run as that run did.
//   - [Rows] yields the copied rows as items ([Rows.Source]), and remembers of each
//     what a later pass over the same rows must know ([RowState]).
//   - [Lookup] finds out, before the first row is decided, whom the rows are about:
//     ids behind references, the account's names of tracking codes, and, by the
//     customer list or sets of ids ([Lister]), which rows would change nothing.
//     Which way takes the fewest requests is one rule ([Need], way.go).
//   - Rows that come from an export are compared with what was exported.
//
// [Input] and [Selection] are the settings of all this; package job binds them to
// flags. [Actions] is what a command makes of rows: one action, or those of a mixed
// file.
package intake
