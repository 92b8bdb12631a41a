// Package ui is the terminal as a front of jobs: it shows what happens while a run
// is under way, asks before the first write, and tells at the end what became of the
// rows. It decides nothing.
package ui
