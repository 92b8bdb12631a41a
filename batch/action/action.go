// Package action holds what a row can become. An action is one file: what it takes
// (a mapping.Schema), how a row becomes an item, and a batch.Action, whose pure
// functions tell everything about one customer:
//
//	Decide  by the live record: what to change and what to send, or how the row ends without
//	Apply   lays changes over a record, for the rows of a plan that come after
//	Hint    holds the reply to the write against what was sent
//	Check   holds the record as read after the write against it, and decides
//	Settle  tells by a record read later whether a write without an answer took effect
//
// Open leases a visit's requests together; the visit reads and sends. A new action is
// such a file, and one line of Specs.
//
// What is where:
//
//	action.go       the actions by name, and what they work with
//	fields.go       THE table of a customer's fields: a new one of the API is one line
//	update.go, hold.go (with un-hold), latch.go, patch.go
//	customer.go     a customer's bytes: read, edited, compared, put back
//	tracking.go     the account's names of sales tracking codes
//	spelling.go     values that a server stores otherwise than they were sent
//	fusebill.go     what actions on Fusebill have in common: reading, replies in the engine's words
//	condition.go    --when
//	item.go         rows, plans and past writes as items; rows decided by the customer list
//	lookup.go       what is asked before the first row: references, tracking codes
//	export.go       the columns of an export
package action

import (
	"rowbatch/batch"
	"rowbatch/mapping"
)

// The APIs that actions speak with.
const (
	SystemFusebill    = "fusebill"
	SystemTrackfinity = "trackfinity"
)

// Spec is an action as data: how the command line knows it.
type Spec struct {
	Schema mapping.Schema
	New    func(Services) batch.Action
	// Item turns a row into what the engine carries out.
	Item     func(mapping.Mapped, Context) *batch.Item
	Overview bool // its live record is the customer's overview
	Suspends bool // it takes customers out of service: people are asked for their number
}

// Services are what actions work with, as far as a run needs them.
type Services struct {
	Fusebill      Fusebill
	Trackfinity   Trackfinity
	Codes         *TrackingCodes          // nil: names are taken as given
	Condition     *Condition              // only customers who satisfy it; nil: all
	Stored        Spellings               // what the server was seen to make of values
	Planned       bool                    // rows come from a plan, in which they satisfied it
	HoldSuspended bool                    // a Suspended customer may be held
	MayMove       []string                // fields that the server moves by itself at any write
	Warn          func(code, text string) // tells people something about the account; nil: nobody hears
}

// Names are those of the actions, in the order in which help lists them.
func Names() []string { return []string{"update", "hold", "latch", "patch"} }

// Specs returns every action, in the order of their names.
func Specs() (all []Spec) {
	for _, name := range Names() {
		spec, _ := Find(name)
		all = append(all, spec)
	}
	return all
}

// Find returns the action of that name.
func Find(name string) (Spec, bool) {
	switch name {
	case "update":
		return Spec{Schema: UpdateSchema(), New: NewUpdate, Item: fusebillItem}, true
	case "hold":
		return Spec{Schema: HoldSchema(), New: NewHold, Item: holdItem, Overview: true, Suspends: true}, true
	case "latch":
		return Spec{Schema: LatchSchema(), New: NewLatch, Item: fusebillItem}, true
	case "patch":
		return Spec{Schema: PatchSchema(), New: NewPatch, Item: patchItem}, true
	}
	return Spec{}, false
}
