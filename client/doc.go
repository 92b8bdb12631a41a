// Package client speaks HTTP with two APIs, Fusebill's for billing and Trackfinity's
// for affiliates, and nothing else: it knows no rows, no files and no resuming.
//
// Every call makes exactly one attempt and says by its Reply's Class what the
// attempt means: whether it had an effect, had none, or whether that is open. Only
// calls that are no row's, such as the pages of a [Listing], are repeated, by
// [Account.Patiently]; a write never is.
//
// All requests pass one place, which takes a permit of the account's governor, sends,
// reads the reply under a cap, classifies it ([Class]), counts it ([Account.Requests])
// and tells the governor what came. The transport below refuses writes in a dry run,
// follows no redirect and repeats nothing.
//
// What servers and networks say is foreign text: it is shown on one line, without
// characters that could deceive, and not at all where it may repeat a secret.
package client
