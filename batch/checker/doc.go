// Package checker holds a run's folder against the ledger of the sandbox that it
// wrote to, and tells every breach of what must never happen. Tests of faults use
// it; the program does not.
//
// Each breach is a text that begins with the number of its invariant:
//
//  1. Every input row stands exactly once in report.csv, in file order; the counts add up.
//  2. The report agrees with the ledger: changed means an effect of ours; but for
//     in_doubt, not_applied and side_effect, everything else means none.
//  3. No row has a second effect, unless it is a Trackfinity patch; no write is
//     sent again although the record read since shows its effect.
//  4. Each effect has an earlier intent that was on disk.
//  5. A write moves nothing that its row does not set.
//  6. A PUT carries the status as read, a latch both HubSpot ids.
//  7. in_doubt becomes changed only on evidence.
//  8. A customer's rows never overlap, and run in the source's order.
//  9. 429s are rare, retries too, and such faults alone make no row failed.
//  10. Repeated resume ends a run.
//  11. Crashes do not show in the final report.
//  12. A settled row costs nothing on resume; a row in doubt one read.
//  13. What only looks writes nothing.
//  14. Undo and apply never overwrite somebody's later value; undo restores bytes.
//  15. No secret stands in any file.
//
// What files cannot tell is given by the caller: requests as the server counted
// them, and the run's folder as it was before. Whether intents survive a loss of
// power is not to be seen here, only that the journal believed them to be on disk
// before it went on.
package checker
