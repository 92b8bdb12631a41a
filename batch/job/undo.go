package job

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
)

// Undo takes back what a run has sent, as a run of its own that names it.
func Undo(j Job, c Control, name string) (*Result, error) {
	r := j.Start(c)
	defer r.Release()
	dir, err := Find(r.Settings.Output.Reports, name, "run", isLive)
	if err != nil {
		return nil, err
	}
	if err := r.lockRun(dir); err != nil { // nobody resumes it meanwhile
		return nil, err
	}
	of, err := openEarlier(dir)
	if err != nil {
		return nil, err
	}
	defer of.journal.Close()
	if name == Last {
		if done, err := undoneAlready(of, r.Settings.Output); done != nil || err != nil {
			return done, err
		}
	}
	p, err := planUndo(r, of, nil)
	if p != nil && err != nil && len(p.Held) > 0 { // nothing is put back, and yet there is something to tell
		return &Result{Held: p.Held, Unhold: unholdCommands(of.journal.Head.ID, filepath.Dir(dir.Path()))},
			batch.Usage("one of the commands listed",
				"%s has put customers on hold, and which --unhold takes them off is yours to choose; nothing was sent", of.journal.Head.ID)
	}
	if err != nil {
		return nil, err
	}
	return execute(r, p)
}

// checkUnhold wants one of the API's options for coming off hold.
func checkUnhold(option string) error {
	if slices.Contains(client.ServiceStartOptions(), option) {
		return nil
	}
	return batch.Usage("one of "+strings.Join(client.ServiceStartOptions(), ", "), "--unhold %s is not an option of the API", option)
}

// UnholdOf is the option that an undo was given to take customers off hold with; "" without one.
// Its rows tell whether any came off.
func UnholdOf(h journal.Head) string {
	if h.Mode != journal.ModeUndo || h.Action != "hold" && h.Action != intake.Mixed {
		return ""
	}
	s, err := SettingsOf(h)
	if err != nil { // who goes on with the run is told
		return ""
	}
	return s.Sending.Unhold
}

// undoneAlready ends an undo of the last run where that has nothing to take back,
// and names the one before it: which run is taken back is for a person to say.
func undoneAlready(of *earlier, out Output) (*Result, error) {
	all, err := runs.List(runs.Disk(), out.Reports)
	if err != nil {
		return nil, err
	}
	id, text, undone := of.journal.Head.ID, "", runs.Undone(all)
	switch {
	case !of.journal.Wrote():
		text = id + " wrote nothing: there is nothing to undo"
	case undone[id] != "":
		text = id + " is undone already; nothing was sent"
	default:
		return nil, nil
	}
	at := slices.IndexFunc(all, func(i runs.Info) bool { return i.ID == id })
	for _, i := range all[at+1:] {
		if isLive(i) && i.Writes > 0 && undone[i.ID] == "" {
			text += "; before it came " + i.ID + "\ntry: " + Command("undo", i.ID, out.Reports)
			break
		}
	}
	return nothingToDo(of.dir, out, text)
}

// planShownUndo makes the plan that carries out what an undo's dry run has shown.
func planShownUndo(r *Session, shown *earlier) (*Plan, error) {
	head := shown.journal.Head
	s, err := SettingsOf(head)
	if err != nil {
		return nil, err
	}
	dir, err := relative(head, head.Of, shown.dir.Path())
	if err != nil {
		return nil, err
	}
	if err := r.lockRun(dir); err != nil {
		return nil, err
	}
	of, err := openEarlier(dir)
	if err != nil {
		return nil, err
	}
	r.locks = append(r.locks, of.journal.Close)
	r.Settings.Pace = r.Settings.Pace.over(s.Pace, intake.ActionsOf(head.Action))
	mine := &r.Settings.Sending
	mine.KeepTheirs, mine.Unhold, mine.MayMove = s.Sending.KeepTheirs, s.Sending.Unhold, alsoMoving(s.Sending.MayMove, mine.MayMove)
	return planUndo(r, of, shown)
}

// planUndo makes the plan that takes a run back: all of it, or what a dry run has shown of that.
func planUndo(r *Session, of, shown *earlier) (*Plan, error) {
	head := of.journal.Head
	mine := r.Settings.Sending
	if mine.Unhold != "" { // a front other than the command line may have made it up
		if err := checkUnhold(mine.Unhold); err != nil {
			return nil, err
		}
	}
	s, err := r.adopt(head)
	if err != nil {
		return nil, err
	}
	s.Sending.DryRun, s.Sending.KeepTheirs, s.Sending.Unhold, s.Sending.Expect = mine.DryRun, mine.KeepTheirs, mine.Unhold, mine.Expect
	s.Sending.NoChanges = mine.NoChanges
	s.Selection.Choice = r.Settings.Selection.Choice
	s.Selection.When = "" // what was written is taken back whatever the record shows now
	p := &Plan{Settings: s, Actions: intake.ActionsOf(head.Action), Names: of.names}
	if p.Work, p.Held, err = undoneRows(of, shown, s, nil); err != nil {
		return nil, err
	}
	if p.Work.CountOf("") == 0 {
		hint := ""
		if head.Action == "patch" {
			hint = ": Trackfinity cannot be read, so its old values are not known"
		}
		return p, batch.Usage("rowbatch runs", "%s has left nothing that can be put back%s", head.ID, hint)
	}
	if p.Accounts, err = r.Connect(s, p.Actions, head.File, []string{action.SystemFusebill}); err != nil {
		return nil, err
	}
	if err := p.Accounts.mustBe(r, head, of.journal.Index); err != nil {
		return nil, err
	}
	if shown != nil {
		if err := mustBeFresh(r, p, shown.journal.Head); err != nil {
			return nil, err
		}
	}
	if head.Mode == journal.ModeUndo && !mine.Yes && !mine.DryRun { // that sends the edits once more
		err := r.confirm(p.identityOf(head, head.Started, r.Began), head.ID+" is an undo: to undo it makes the edits once more.",
			batch.Usage("--dry-run to see them, then --yes",
				"%s is an undo, and nobody confirmed that it is to be undone; nothing was sent", head.ID))
		if err != nil {
			return nil, err
		}
	}
	var chosen *choice
	if shown != nil {
		chosen = shown.choice
	}
	if err := follow(r, p, of, journal.ModeUndo, chosen); err != nil {
		return nil, err
	}
	if shown != nil {
		p.Head.Plan = shown.journal.Head.ID
	}
	return p, nil
}

// takenOff is when an undo took a customer off hold.
type takenOff struct {
	by string // its id
	at time.Time
}

// takenOffHold returns, by row, the last undo of the run that has taken its customer off hold.
// own is the undo that asks, once it has begun. It is an error when another one has begun and
// is not complete: no un-hold is sent a second time while nobody knows what became of the first.
func takenOffHold(of *earlier, s Settings, own *runs.Dir) (map[int]takenOff, error) {
	if s.Sending.Unhold == "" {
		return nil, nil
	}
	folders, mine := []string{absolute(filepath.Dir(of.dir.Path())), absolute(s.Output.Reports)}, ""
	if own != nil {
		head, err := own.Head() // which keeps its id where the folder was renamed or copied
		if err != nil {
			return nil, err
		}
		folders, mine = append(folders, absolute(filepath.Dir(own.Path()))), head.ID
	}
	slices.Sort(folders)
	off := map[int]takenOff{}
	for _, folder := range slices.Compact(folders) {
		all, err := runs.ListOf(runs.Disk(), folder, of.journal.Head.ID)
		if err != nil {
			return nil, err
		}
		for _, i := range all {
			if i.Head.Of != of.journal.Head.ID || i.Head.Mode != journal.ModeUndo || i.Head.Dry || i.Head.ID == mine || i.Declined() {
				continue
			}
			theirs, err := SettingsOf(i.Head)
			switch {
			case err == nil && theirs.Sending.Unhold == "": // it left them on hold
				continue
			case !i.Complete():
				return nil, batch.Unfit(Command("resume", i.ID, folder),
					"%s has begun to take these customers off hold, and is not complete; nothing was sent", i.ID)
			}
			if err := noteOffHold(off, folder, i); err != nil {
				return nil, err
			}
		}
	}
	return off, nil
}

// noteOffHold notes the rows whose customers an undo has taken off hold.
func noteOffHold(off map[int]takenOff, folder string, undo runs.Info) error {
	if undo.Counts[batch.Changed] == 0 {
		return nil
	}
	dir, err := runs.Open(runs.Disk(), folder, undo.ID)
	if err != nil {
		return err
	}
	theirs, err := openEarlier(dir)
	if err != nil {
		return err
	}
	for n := range theirs.journal.Head.Rows {
		sent, failed := theirs.journal.Sent(n)
		if failed != nil {
			err = failed
			break
		}
		if sent != nil && sent.Found.Act == "unhold" && sent.Outcome.Kind == batch.Changed && sent.At.After(off[n].at) {
			off[n] = takenOff{undo.ID, sent.At}
		}
	}
	return errors.Join(err, theirs.journal.Close())
}

// undoneRows are those for which a write left, last row first; with shown, of these
// the rows that a dry run would put back, and of the others what it said. own is the undo
// itself, once it has begun. held are the customers who stay on hold.
func undoneRows(of, shown *earlier, s Settings, own *runs.Dir) (w *earlierRows, held []string, err error) {
	off, err := takenOffHold(of, s, own)
	if err != nil {
		return nil, nil, err
	}
	several := of.journal.Head.Action == intake.Mixed || s.Input.AllowDuplicates
	if w, err = newEarlierRows(of, several); err != nil {
		return nil, nil, err
	}
	w.reverse = true
	for n := range w.actions {
		sent, err := of.journal.Sent(n)
		if err != nil {
			return nil, nil, err
		}
		if sent == nil {
			continue
		}
		switch act := sent.Found.Act; {
		case act == "update", act == "latch":
			w.actions[n] = act
		case act != "hold", !sent.Outcome.Kind.WasSent(), sent.Outcome.Refused(): // or it had no effect
		case s.Sending.Unhold != "":
			w.actions[n] = "unhold"
		default:
			held = append(held, "id="+sent.Found.ID+" "+sent.Outcome.Customer)
		}
	}
	w.item = func(n int) (*batch.Item, error) {
		sent, err := of.journal.Sent(n)
		if err != nil {
			return nil, err
		}
		it := action.Undone(sent, s.Sending.KeepTheirs)
		if o := off[n]; sent.At.Before(o.at) { // else the run has put them on hold again
			it.UndoneBy = o.by
		}
		return it, nil
	}
	w.rest = func(n int) (batch.Outcome, error) { return notUndone(of, n) }
	if shown == nil {
		return w, held, nil
	}
	w.rest = shown.outcome
	for n := range w.actions {
		if o, err := shown.outcome(n); err != nil {
			return nil, nil, err
		} else if o.Kind != batch.WouldChange {
			w.actions[n] = ""
		}
	}
	return w, held, nil
}

// notUndone says why a row is left as it is.
func notUndone(of *earlier, n int) (batch.Outcome, error) {
	o, err := of.journal.Outcome(n)
	out := batch.Outcome{Kind: batch.Skipped, Key: o.Key, ID: o.ID, Customer: o.Customer, Error: "no write left for this row"}
	sent, failed := of.journal.Sent(n)
	if err = errors.Join(err, failed); err != nil || sent == nil {
		return out, err
	}
	switch sent.Found.Act {
	case "hold":
		out.Error = "the customer stays on hold: coming back may cost money, and --unhold says what is charged"
	case "unhold":
		out.Error = "a customer who was taken off hold is not put on hold again by an undo"
	default:
		out.Error = "Trackfinity cannot be read: the old values are not known"
	}
	return out, nil
}
