package action

import (
	"rowbatch/batch"
	"rowbatch/mapping"
)

// Spec is an action as data: how the command line knows it.
type Spec struct {
	Schema mapping.Schema
	New    func(account Fusebill, codes *TrackingCodes) batch.Action
}

// Specs returns every action, in the order in which help lists them.
func Specs() []Spec {
	return []Spec{
		{Schema: UpdateSchema(), New: NewUpdate},
	}
}

// Find returns the action of that name.
func Find(name string) (Spec, bool) {
	for _, s := range Specs() {
		if s.Schema.Action == name {
			return s, true
		}
	}
	return Spec{}, false
}
