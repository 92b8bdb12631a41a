// Package intake turns a file into a run's work: its rows are read and checked
// once, copied into the run's folder, and from there become items for the engine.
//
//   - [Read] checks a file whole and copies it; [Reopen] understands the copy of an
//     earlier run as that run did.
//   - [Rows] yields the copied rows as items, and remembers of each what a later
//     pass over the same rows must know.
//   - [Rows.LookUp] finds out, before the first row is decided, whom the rows are
//     about: ids behind references, the account's names of tracking codes, and, by
//     the customer list, which rows would change nothing.
//   - Rows that come from an export are compared with what was exported.
package intake
