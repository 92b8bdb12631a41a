// Package mapping turns a file into rows that say what to change.
//
// An [Input] reads the file: encoding, dialect, CSV, true line numbers. A
// [Schema] is an action's field table. [Compile] joins the two, with a mapping
// [File] if there is one, into a [Mapper], whose Row is a pure function of the
// cells; [CompileMixed] does so for a file whose action column says, row by row,
// which of several schemas is meant. [Check] runs all checks that need no request
// over the whole input, so that nothing is sent before the last row has been
// looked at.
//
// What may be a password is masked before a row is kept ([Mapper.Mask]), and no
// message quotes it.
//
// Trouble with the input as a whole is a [*csvfile.Refusal]; trouble with one row is a
// [Problem], which is data and stops nothing.
package mapping
