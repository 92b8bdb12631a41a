// Package mapping turns the rows of a file into fields to set.
//
// A [Schema] is an action's table of fields. A [File] is a mapping file: what the
// headings of somebody else's file mean. [Compile] joins the two with the heading
// of an input into a [Mapper]; [CompileMixed] does so for a file whose action
// column says, row by row, which of several schemas is meant. A Mapper's Row is a
// pure function of the cells, and no cell is given a type by guess: cells.go has
// the order of the rules for a cell, field.go what each kind of field takes.
//
// [Check] runs all checks that need no request over the whole input, those across
// rows included (a customer in two rows, a reference that two rows give, parents
// in a circle), so that nothing is sent before the last row has been looked at.
// Rows that come from one of our exports are compared with what they were then
// ([Exports], [Base]).
//
// What may be a password is masked before a row is kept ([Mapper.Mask]), and no
// message quotes it.
//
// Trouble with the input or the mapping file as a whole is a [*csvfile.Refusal];
// trouble with one row is a [Problem], which is data and stops nothing. Rows
// themselves come from the packages csvfile and xlsxfile.
package mapping
