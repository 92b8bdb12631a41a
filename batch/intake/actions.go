package intake

import (
	"context"
	"slices"

	"rowbatch/batch/action"
	"rowbatch/mapping"
)

// Mixed is the command of files whose rows are of several actions.
const Mixed = "run"

// Actions are what a command makes of rows: one action, or those of a mixed file.
type Actions struct {
	Name     string // of the command
	Specs    []action.Spec
	KeysOnly bool // without a mapping file, columns that name no customers are left out
}

// ActionsOf returns the actions of a command: update, hold, latch, patch or run.
func ActionsOf(name string) Actions {
	if spec, ok := action.Find(name); ok {
		return Actions{Name: name, Specs: []action.Spec{spec}}
	}
	return Actions{Name: name, Specs: action.Specs()}
}

// ActionsOfMapping returns those that a mapping file is for; of one that does not say, or
// of none, update.
func ActionsOfMapping(stop context.Context, name string) (Actions, error) {
	file, err := new(File).readMapping(stop, name)
	name = "update"
	if err == nil && file != nil {
		if _, known := action.Find(file.Action.Text); known || file.Action.Text == Mixed {
			name = file.Action.Text // another is refused with the columns
		}
	}
	return ActionsOf(name), err
}

// Mixed reports whether rows may be of several actions.
func (a Actions) Mixed() bool { return len(a.Specs) > 1 }

// Spec returns the action of that name, which must be one of these.
func (a Actions) Spec(name string) action.Spec {
	return a.Specs[slices.IndexFunc(a.Specs, func(s action.Spec) bool { return s.Schema.Action == name })]
}

// Any reports whether one of the actions is of some kind.
func (a Actions) Any(is func(action.Spec) bool) bool { return slices.ContainsFunc(a.Specs, is) }

// Systems are those whose customers rows may be about.
func (a Actions) Systems() (names []string) {
	for _, s := range a.Specs {
		if !slices.Contains(names, s.Schema.System) {
			names = append(names, s.Schema.System)
		}
	}
	return names
}

// Reaches reports whether rows may be about a system's customers.
func (a Actions) Reaches(system string) bool {
	return a.Any(func(s action.Spec) bool { return s.Schema.System == system })
}

// compile decides what the columns of a heading are for.
func (a Actions) compile(heading []string, o mapping.CompileOptions) (*mapping.Mapper, error) {
	return mapping.Compile(a.schemas(), heading, a.options(o))
}

func (a Actions) options(o mapping.CompileOptions) mapping.CompileOptions {
	o.Keys = a.KeysOnly
	return o
}

func (a Actions) schemas() (all []mapping.Schema) {
	for _, s := range a.Specs {
		all = append(all, s.Schema)
	}
	return all
}
