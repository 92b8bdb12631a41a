// Package batch is the engine: it takes rows one by one, lets an action turn
// each into a write or into the reason why there is none, and keeps the journal
// from which everything said about a run is derived. It knows no CSV and no HTTP.
//
// # The way of a row
//
// A [Source] yields an [Item] for every row. The engine hands it to a worker
// when no other row of its lane (its customer) is under way. The worker pays the
// customer one visit: read the live record; if an earlier write of this row got no
// answer, judge by the record whether it took effect; decide; write the intent
// to the journal and wait until it is on disk; send; compare the reply with what
// was asked. The visit ends in an [Outcome], or the row is parked and visited later.
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
// When the stop context ends, rows in flight finish, parked rows are settled by
// what is known (never sent: not_attempted; sent: in_doubt), and the rest of the
// source is drained without a request. Attempts hang on the other context, which
// ends only when the user insists.
package batch
