// Package cli is the command line: commands and their flags, help, settings from the
// environment, exit codes. What a command does is in package job and export, what is
// shown of it in package ui.
package cli
