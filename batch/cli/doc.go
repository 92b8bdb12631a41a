// Package cli is the command line: commands and their flags, help, exit codes. What a
// command does is in the packages job and export, where its account is in package
// profile, what is shown of it in package ui.
//
// A command is a function that returns it, such as newUpdate, and a word in newRoot
// (cli.go):
//
//	actions.go  the commands that make runs: they bind job.Settings to flags, call one
//	            function of package job with this terminal as its front, show its result
//	help.go     topics (help/*.txt); codes and exit codes are tables of package batch
//
// Its tests hold the program as a whole: testdata/*.txtar what users see, house_test.go
// the laws of the code that can be counted.
package cli
