// Package web is the local page: a front of package job that people look at in a
// browser on the same machine. It has no engine of its own. A preview is a dry run,
// what is sent is its apply, and an undo is looked at before it is sent, like
// anything else; the command line goes on with what begins here, and the page with
// what began there.
//
// # The way through it
//
//	/runs                    all runs of the reports folder
//	/new                     an account, an action, a file: POST /drafts
//	/drafts/ID               the file as it was read, and what its columns mean
//	/runs/ID                 a run: preview, under way or result, whatever it is now
//	/runs/ID/rows.json       its rows
//	/runs/ID/state.json      how far it has come, asked for while it is under way
//	/runs/ID/files/NAME      its report files
//
// Everything that has an effect is a POST: previews, sends, stops, answers.
//
// # Who may use it
//
// The server listens on a loopback address only. The first address that it prints has
// a token, for which a browser gets a cookie that only this server sees; without it
// nothing is shown. The Host of every request must be the server's own, so that no
// name which leads here by DNS can use it, and a request that another site's page
// makes is refused (guard.go). No page has script or style in it, and every text from
// a file or a server is escaped.
package web
