package cli

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/reports"
)

func newUndo() *cobra.Command {
	var option string
	var keepTheirs, dryRun bool
	cmd := newAgain("undo RUN", "Put back what a run changed", func(r *run, name string) error {
		if option != "" && !slices.Contains(client.ServiceStartOptions(), option) {
			return usage("one of "+strings.Join(client.ServiceStartOptions(), ", "), "--unhold %s is not an option of the API", option)
		}
		r.keepTheirs, r.unhold, r.flags.dryRun = keepTheirs, option, dryRun
		return r.undo(name)
	})
	s := cmd.Flags()
	s.BoolVar(&dryRun, "dry-run", false, "show what would be put back and how long that takes, write nothing")
	s.BoolVar(&keepTheirs, "keep-theirs", false, "where somebody else has changed a field since, put back the row's other fields")
	s.StringVar(&option, "unhold", "", "take customers off hold, with `OPTION`: "+strings.Join(client.ServiceStartOptions(), ", "))
	cmd.Long = `undo puts back what a run changed, the last row first: each field that still holds
the run's value gets the value found before. A field that holds somebody else's
value makes the row a conflict, or is left alone with --keep-theirs. RUN is the
run's id or folder, or "last" for the newest run that is neither a dry run nor an undo.

A hold is not taken back by itself, since coming back may cost the customer
money: --unhold says what is charged. Trackfinity cannot be read, so what was
patched there cannot be put back.`
	cmd.Example = `  rowbatch undo last --dry-run
  rowbatch undo 20261120T215200Z-update-customers
  rowbatch undo last --unhold NoChargesForMissedPeriods`
	return cmd
}

// undo is a run of its own that names the run it takes back.
func (r *run) undo(name string) error {
	of, err := r.openUndone(name)
	if err != nil {
		return err
	}
	defer of.journal.Close()
	if name == last {
		if done, err := r.undoneAlready(of); done || err != nil {
			return err
		}
	}
	if err := errors.Join(r.mayUndo(of, name), r.notUnderWay(of)); err != nil {
		return err
	}
	return r.takeBack(of, nil)
}

// undoneAlready ends an undo of the last run where that has nothing to take back,
// and names the one before it: which run is taken back is for a person to say.
func (r *run) undoneAlready(of *earlier) (done bool, err error) {
	all, err := runs.List(r.flags.reports)
	if err != nil {
		return false, err
	}
	id, text := of.journal.Head.ID, ""
	switch {
	case !of.journal.Wrote():
		text = id + " wrote nothing: there is nothing to undo"
	case runs.Undone(all)[id]:
		text = id + " is undone already; nothing was sent"
	default:
		return false, nil
	}
	at := slices.IndexFunc(all, func(i runs.Info) bool { return i.ID == id })
	for _, i := range all[at+1:] {
		if isLive(i) && i.Writes > 0 && !runs.Undone(all)[i.ID] {
			text += "; before it came " + i.ID + "\ntry: " + againCommand("undo", i.ID, r.flags.reports)
			break
		}
	}
	return true, r.sayNothingToDo(of.dir, text)
}

// takeBack makes the run that takes another back: all of it, or what a dry run has shown of that.
func (r *run) takeBack(of, shown *earlier) error {
	head := of.journal.Head
	if err := r.adopt(head); err != nil {
		return err
	}
	w, err := r.undone(of, shown)
	if err != nil {
		return err
	}
	if w.countIn("") == 0 {
		return r.nothingToUndo(of)
	}
	r.flags.when = "" // what was written is taken back whatever the record shows now
	if err := r.reconnect(head, of.journal.Index, action.SystemFusebill); err != nil {
		return err
	}
	r.work, r.codes = w, of.codes
	if err := r.mayHold(); err != nil {
		return err
	}
	if err := r.begin(of, journal.ModeUndo); err != nil {
		return err
	}
	h := r.headOf(of, journal.ModeUndo)
	h.Dry, h.Settings = r.flags.dryRun, settings(r.undoOptions(head))
	if shown != nil {
		h.Plan = shown.journal.Head.ID
	}
	if err := r.start(h); err != nil {
		return err
	}
	return errors.Join(r.finish(r.process()), r.sayHeld(of))
}

// undoOptions keeps what an undo must know when it is resumed.
func (r *run) undoOptions(of journal.Head) map[string]string {
	o := map[string]string{}
	if optionsOf(of)["allow-duplicates"] != "" {
		o["allow-duplicates"] = "true"
	}
	r.flags.shardOptions(o)
	if r.keepTheirs {
		o["keep-theirs"] = "true"
	}
	if r.unhold != "" {
		o["unhold"] = r.unhold
	}
	return o
}

func (r *run) openUndone(name string) (*earlier, error) {
	dir, err := r.find(name, "run", isLive)
	if err != nil {
		return nil, err
	}
	if err := r.lockRun(dir); err != nil { // nobody resumes it meanwhile
		return nil, err
	}
	return openEarlier(dir)
}

// mayUndo asks before an undo is undone: that sends the edits once more.
func (r *run) mayUndo(of *earlier, name string) error {
	if of.journal.Head.Mode != journal.ModeUndo || r.flags.yes || r.flags.dryRun {
		return nil
	}
	if !r.confirms(name + " is an undo: to undo it makes the edits once more.") {
		if r.stopped() {
			return context.Cause(r.stop)
		}
		return usage("--dry-run to see them, then --yes", "%s is an undo, and nobody confirmed that it is to be undone; nothing was sent", name)
	}
	return nil
}

// notUnderWay keeps an un-hold from being sent a second time while nobody knows
// what became of the first.
func (r *run) notUnderWay(of *earlier) error {
	if r.unhold == "" {
		return nil
	}
	all, err := runs.List(filepath.Dir(of.dir.Path()))
	if err != nil {
		return err
	}
	here, err := runs.List(r.flags.reports)
	if err != nil {
		return err
	}
	for _, i := range append(all, here...) {
		if i.Head.Of == of.journal.Head.ID && i.Head.Mode == journal.ModeUndo && optionsOf(i.Head)["unhold"] != "" && !i.Head.Dry && !i.Complete() {
			return unfit(againCommand("resume", i.ID, r.flags.reports), "%s has begun to take these customers off hold, and is not complete; nothing was sent", i.ID)
		}
	}
	return nil
}

func (r *run) nothingToUndo(of *earlier) error {
	head := of.journal.Head
	if err := r.sayHeld(of); err != nil {
		return err
	}
	return usage("rowbatch runs", "%s has left nothing that can be put back%s", head.ID, unreadableHint(head))
}

func unreadableHint(h journal.Head) string {
	if h.Action == "patch" {
		return ": Trackfinity cannot be read, so its old values are not known"
	}
	return ""
}

// undone is the work of taking a run back: each row for which a write left; with
// shown, of these the rows that a dry run has shown, and of the others what it said.
func (r *run) undone(of, shown *earlier) (*redone, error) {
	w, err := newRedone(of)
	if err != nil {
		return nil, err
	}
	w.reverse = true
	for n := range w.actions {
		sent, err := of.journal.Sent(n)
		if err != nil {
			return nil, err
		}
		if sent != nil && (sent.Found.Act != "hold" || sent.MayHaveTaken()) {
			w.actions[n] = r.backwards(sent.Found.Act)
		}
	}
	w.item = func(n int) (*batch.Item, error) {
		sent, err := of.journal.Sent(n)
		if err != nil {
			return nil, err
		}
		return action.Undone(sent, r.keepTheirs), nil
	}
	w.rest = func(n int) (batch.Outcome, error) { return r.notUndone(of, n) }
	if shown == nil {
		return w, nil
	}
	w.rest = shown.journal.Outcome
	for n := range w.actions {
		if o, err := shown.journal.Outcome(n); err != nil {
			return nil, err
		} else if o.Kind != batch.WouldChange {
			w.actions[n] = ""
		}
	}
	return w, nil
}

// backwards is the action that takes another's write back; "" when there is none.
func (r *run) backwards(name string) string {
	switch {
	case name == "update", name == "latch":
		return name
	case name == "hold" && r.unhold != "":
		return "unhold"
	}
	return ""
}

// notUndone says why a row is left as it is.
func (r *run) notUndone(of *earlier, n int) (batch.Outcome, error) {
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

// heldShown bounds the customers on hold that are named.
const heldShown = 20

// sayHeld lists the customers whom the undo leaves on hold.
func (r *run) sayHeld(of *earlier) error {
	var held []string
	for n := range of.journal.Head.Rows {
		sent, err := of.journal.Sent(n)
		if err != nil {
			return err
		}
		if sent != nil && sent.Found.Act == "hold" && r.unhold == "" && sent.MayHaveTaken() {
			held = append(held, reports.Visible("id="+sent.Found.ID+" "+sent.Outcome.Customer))
		}
	}
	if len(held) == 0 {
		return nil
	}
	out := r.console.out
	if r.flags.json {
		out = r.console.err
	}
	_, err := io.WriteString(out, heldText(held, of.journal.Head.ID))
	return err
}

func heldText(held []string, id string) string {
	text := "the run put " + plural(len(held), "customer") + " on hold, where an undo leaves them, since coming back may cost money:\n"
	for _, name := range held[:min(len(held), heldShown)] {
		text += "  " + name + "\n"
	}
	if more := len(held) - heldShown; more > 0 {
		text += "  and " + thousands(more) + " more\n"
	}
	return text + "to take them off hold: rowbatch undo " + id + " --unhold " + strings.Join(client.ServiceStartOptions(), "|") + "\n"
}
