// Package ui is the terminal as a front of jobs. While a run is under way, [Terminal]
// shows its events (progress, notices, warnings) and asks before the first write; when
// it is over, [PrintResult] tells what became of the rows and which command comes next.
// It decides nothing: all that it tells stands in an event, a question or a result of
// package job.
package ui
