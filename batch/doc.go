// Package batch is the engine: it takes rows one by one, lets an action turn each
// into a write or into the reason why there is none, and has what it did recorded.
// It knows no CSV, no HTTP, no file.
//
// # The way of a row
//
// From a file to its report, in the order of execute (batch/job/execute.go):
//
//	intake.Read              the file is checked whole (mapping.Check), and copied to rows.jsonl
//	Plan.open                the journal begins: from here on every row is accounted for
//	intake.Lookup.Do         whom the rows are about; rows that the customer list or sets of ids settle
//	intake.Rows.Source       each copied row becomes an Item: customer, edits, guards, action
//	Engine.Run               each item becomes an Outcome; to survey first, where that is wanted:
//	    lane, slots, canary      one row of a customer at a time; the first write alone
//	    Visit.Read               the live record
//	    Action.Decide            a Step, or the Outcome why nothing is sent; a survey ends here
//	    Recorder.Intent          on disk before the write leaves (journal.Writer)
//	    Visit.Send               one attempt, by package client
//	    Action.Check             the reply against the step
//	    Recorder.Done            the Outcome
//	Engine.Emit              counted, and shown to the front (job.Settled)
//	reports.Write            report.csv, failed.csv, summary.json, from journal and rows.jsonl
//
// The rows of an apply or an undo are another run's: it is their Source that differs
// (earlierRows in batch/job/plan.go), and nothing after it.
//
// Inside the engine, step by step:
//
//  1. The dispatcher (dispatch.go) takes an [Item] from the [Source]. One that is
//     settled already ([Item].Out) ends here, without a request.
//  2. Rows of one customer share a lane, in the source's order: one is under way at
//     a time. The rows of each system have workers of their own, a pool.
//  3. A worker, as a visitor (visit.go), opens a [Visit]: the permits for its read
//     and its write, leased together. A slot (slots.go) bounds the requests in flight.
//  4. It reads the live [Record].
//  5. If the answer to an earlier write of this row was lost, Action.Settle judges
//     by the record whether that took effect; if so, the row is changed.
//  6. Action.Decide compares item and record: a [Step], or the [Outcome] why nothing
//     is to be sent. [Diff] is the one decision of all modes. A dry run ends here.
//  7. The first write of each action, its canary, goes alone. Around it the customer
//     is read in every way that the API has, and if anything moved that the row did
//     not name, the run stops with one customer touched.
//  8. The intent, with the record as read, is on disk before the write leaves. The
//     record may be five seconds old by then; if it is older, back to 3.
//  9. The reply is held against the step by Action.Hint. What looks wrong in it, and a
//     refusal, is settled by reading the customer again, which Action.Check judges. A
//     reading that shows the customer as before may lag behind the write: it is repeated
//     within [Options].Settle, and after a refusal it waits for the lag that was seen, or
//     a little while none could be.
//  10. The outcome is recorded and emitted ([Engine.Conclude]), and the lane goes on.
//
// A visit may also end with the row parked, to be visited later: the server did not
// answer, or the answer to the write was lost. A row that the server refused, and that
// may fare better once other rows are done, is put off until they are.
//
// # What a lost answer means
//
// A write whose answer did not come may have happened, and may still be about
// to. Such a row is parked with its lane closed for [Options].Settle, then read
// back: as intended means changed, as before means send again, anything else
// means in_doubt. Nothing is ever sent twice on a guess.
//
// # Stopping
//
// When [Stops].Stop ends, rows with a worker finish what is in flight, parked rows are
// settled by what is known (never sent: not_attempted; sent: in_doubt), and the rest of
// the source is drained without a request. Requests hang on Abort, which ends only when
// the user insists.
//
// # Where to change what
//
// A new outcome is a [Kind] (outcome.go); a new reason for one, a line of [Codes]. What
// an API needs is in its action's Visit, which makes exactly one attempt a call: when a
// request is repeated, and when never, is the engine's to say, and nobody else's. The
// rowbatch help develop has the rest.
package batch
