package action

import (
	"slices"

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
	Item func(mapping.Mapped, Context) *batch.Item
	// Overview says that its live record is the customer's overview.
	Overview bool
	// Suspends says that it takes customers out of service: people are asked for their number.
	Suspends bool
}

// Services are what actions work with, as far as a run needs them.
type Services struct {
	Fusebill      Fusebill
	Trackfinity   Trackfinity
	Codes         *TrackingCodes
	Condition     *Condition   // only customers who satisfy it; nil: all
	Planned       bool         // rows come from a plan, in which they satisfied it
	HoldSuspended bool         // a Suspended customer may be held
	Warn          func(string) // tells people something about the account; nil: nobody hears
}

func (s Services) codes() *TrackingCodes {
	if s.Codes == nil {
		return NewTrackingCodes()
	}
	return s.Codes
}

// Specs returns every action, in the order in which help lists them.
func Specs() []Spec {
	return []Spec{
		{Schema: UpdateSchema(), New: NewUpdate, Item: fusebillItem},
		{Schema: HoldSchema(), New: NewHold, Item: holdItem, Overview: true, Suspends: true},
		{Schema: LatchSchema(), New: NewLatch, Item: fusebillItem},
		{Schema: PatchSchema(), New: NewPatch, Item: patchItem},
	}
}

// Find returns the action of that name.
func Find(name string) (Spec, bool) {
	i := slices.IndexFunc(Specs(), func(s Spec) bool { return s.Schema.Action == name })
	if i < 0 {
		return Spec{}, false
	}
	return Specs()[i], true
}
