package runs

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// Info is what a run's folder tells without reading its rows.
type Info struct {
	ID      string
	Dir     string // the folder's path
	Head    journal.Head
	End     *journal.End       // nil: the run goes on, or was killed
	Counts  map[batch.Kind]int // of all rows; a row without a word is not_attempted, one whose write has no answer in_doubt
	Sent    int                // rows for which a write has left
	Running bool               // a process holds the run's lock
	Writes  int                // that may have left: one for each intent
	Damage  error              // the journal cannot be read to its end; Counts is nil, the rest as far as it is known
}

// Complete reports whether every row has its last word.
func (i Info) Complete() bool {
	return i.Damage == nil && i.Counts[batch.NotAttempted] == 0 && i.Counts[batch.InDoubt] == 0
}

// Declined reports whether nobody agreed to the run when it asked: it sent nothing.
func (i Info) Declined() bool {
	return i.End != nil && i.End.Exit == batch.ExitUsage && i.Sent == 0
}

// List tells of all runs in a reports folder, newest first. Whatever else lies
// there is passed over. No folder: no runs.
//
// Each journal is read once, from its beginning to its end: a run tells the truth
// about itself nowhere else. It takes two bytes a row.
func List(on FS, reports string) ([]Info, error) {
	dirs, err := runDirs(on, reports)
	if err != nil {
		return nil, err
	}
	return infos(dirs), nil
}

// ListOf is List for one run and those that are about it: its undos, theirs, and what has
// carried out a plan. Of all others only the first line of the journal is read.
func ListOf(on FS, reports, id string) ([]Info, error) {
	dirs, err := runDirs(on, reports)
	if err != nil {
		return nil, err
	}
	heads := make([]journal.Head, len(dirs))
	for n, d := range dirs {
		heads[n], _ = d.Head() // one that cannot be read is about no other
	}
	belong, about := []*Dir{}, map[string]bool{id: true}
	for more := true; more; {
		more = false
		for n, d := range dirs {
			if d != nil && (about[d.ID()] || about[heads[n].Of] || about[heads[n].Plan]) {
				belong, about[d.ID()], dirs[n], more = append(belong, d), true, nil, true
			}
		}
	}
	return infos(belong), nil
}

// infos tells of the runs of some folders, newest first.
func infos(dirs []*Dir) []Info {
	all := make([]Info, len(dirs))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for n, d := range dirs {
		g.Go(func() error {
			all[n] = d.Info()
			return nil
		})
	}
	_ = g.Wait() // what is wrong with a run stands in its Damage
	started := func(i Info) time.Time {
		if i.Head.Started.IsZero() { // its journal does not say it
			return startOf(i.ID).Add(time.Second - 1) // a run that cannot be read must not hide behind older ones
		}
		return i.Head.Started
	}
	slices.SortFunc(all, func(a, b Info) int { // runs of one second tell theirs by the number at the end: -10 is later than -9
		return cmp.Or(started(b).Compare(started(a)), cmp.Compare(len(b.ID), len(a.ID)), cmp.Compare(b.ID, a.ID))
	})
	return all
}

// runDirs returns the folders that have a journal, and those that carry a run's
// name and do not let us see.
func runDirs(on FS, reports string) ([]*Dir, error) {
	entries, err := on.ReadDir(reports)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var dirs []*Dir
	for _, e := range entries {
		d := at(on, filepath.Join(reports, e.Name()))
		if !e.IsDir() && e.Type()&fs.ModeSymlink == 0 || strings.HasPrefix(d.ID(), removed) {
			continue
		}
		isRun, err := d.isRun()
		if isRun || err != nil && !startOf(d.ID()).IsZero() {
			dirs = append(dirs, d)
		}
	}
	return dirs, err
}

// Undone returns by the id of a run the undo that has taken it back: each row for which a
// write had left. Of several that is the newest that changed a row, for a later one may
// have found its work done. An undo that is undone brings its run's edits back. all is
// newest first, as List returns it.
func Undone(all []Info) map[string]string {
	byID, undone := map[string]Info{}, map[string]string{}
	for _, i := range all {
		byID[i.ID] = i
	}
	for _, i := range slices.Backward(all) {
		of := byID[i.Head.Of]
		if i.Head.Mode != journal.ModeUndo || i.Head.Dry || !i.Complete() || i.Counts[batch.Changed]+i.Counts[batch.Unchanged] < of.Sent {
			continue
		}
		if undone[of.ID] == "" || i.Counts[batch.Changed] > 0 {
			undone[of.ID] = i.ID
		}
		if of.Head.Mode == journal.ModeUndo {
			delete(undone, of.Head.Of)
		}
	}
	return undone
}

// Applied returns by the id of a plan the complete run that has carried it out, of
// several the newest. all is newest first, as List returns it.
func Applied(all []Info) map[string]string {
	applied := map[string]string{}
	for _, i := range slices.Backward(all) {
		switch {
		case !i.Complete():
		case i.Head.Plan != "": // an undo of what another one's dry run has shown
			applied[i.Head.Plan] = i.ID
		case i.Head.Mode == journal.ModeApply:
			applied[i.Head.Of] = i.ID
		}
	}
	return applied
}

// Prunable returns the runs that began before a time and that nobody can need any
// more but to undo them. What goes on, can be resumed or cannot be read stays, and so
// do the runs that "last" may mean, and all that belong to a run that stays: a plan to
// the run that carried it out, a run to its undo. all is newest first, as List returns it.
func Prunable(all []Info, before time.Time) (old []Info) {
	stays, newest := map[string]bool{}, map[string]bool{}
	for _, i := range all {
		kind := i.Head.Mode
		switch {
		case i.Head.IsDry():
			kind = "plan"
		case kind == journal.ModeApply:
			kind = journal.ModeRun
		case kind != journal.ModeRun:
			kind = ""
		}
		if !newest[""] || !newest[kind] || i.Running || !i.Complete() && !i.Declined() || !i.Head.Started.Before(before) {
			stays[i.ID] = true
		}
		newest[""], newest[kind] = true, true
	}
	for more := true; more; {
		more = false
		for _, i := range all {
			for _, other := range []string{i.Head.Of, i.Head.Plan} {
				if other != "" && stays[i.ID] != stays[other] {
					stays[i.ID], stays[other], more = true, true, true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(i Info) bool { return stays[i.ID] })
}
