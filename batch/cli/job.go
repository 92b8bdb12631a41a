package cli

import (
	"slices"

	"rowbatch/batch/action"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// mixedName is the command of files whose rows are of several actions.
const mixedName = "run"

// job is what a command carries out: one action, or those of a mixed file.
type job struct {
	name  string
	specs []action.Spec
}

func jobOf(name string) job {
	if spec, ok := action.Find(name); ok {
		return job{name, []action.Spec{spec}}
	}
	return job{name, action.Specs()}
}

func (j job) mixed() bool { return len(j.specs) > 1 }

func (j job) spec(name string) action.Spec {
	return j.specs[slices.IndexFunc(j.specs, func(s action.Spec) bool { return s.Schema.Action == name })]
}

// suspends says that rows may take customers out of service.
func (j job) suspends() bool {
	return slices.ContainsFunc(j.specs, func(s action.Spec) bool { return s.Suspends })
}

// readsOverview says that some rows are decided by the customer's overview.
func (j job) readsOverview() bool {
	return slices.ContainsFunc(j.specs, func(s action.Spec) bool { return s.Overview })
}

// comparesExports says that rows may come from an export, and are compared with it.
func (j job) comparesExports() bool {
	return slices.ContainsFunc(j.specs, func(s action.Spec) bool { return s.Schema.Exported })
}

// reaches says that rows may be about a system's customers.
func (j job) reaches(system string) bool {
	return slices.ContainsFunc(j.specs, func(s action.Spec) bool { return s.Schema.System == system })
}

// compile decides what the columns of a heading are for.
func (j job) compile(heading []string, o mapping.CompileOptions) (*mapping.Mapper, error) {
	if j.name == exportName && o.File == nil {
		o.Ignore = append(o.Ignore, notKeys(heading, j.specs[0].Schema)...)
	}
	if !j.mixed() {
		return mapping.Compile(j.specs[0].Schema, heading, o)
	}
	var all []mapping.Schema
	for _, s := range j.specs {
		all = append(all, s.Schema)
	}
	return mapping.CompileMixed(all, heading, o)
}

// notKeys are the columns that name no customers: an export cares for no others.
func notKeys(heading []string, s mapping.Schema) []string {
	return slices.DeleteFunc(slices.Clone(heading), func(h string) bool {
		return slices.ContainsFunc(s.Keys, func(k mapping.Field) bool { return csvfile.Fold(k.Name) == csvfile.Fold(h) })
	})
}
