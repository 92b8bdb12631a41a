package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// last is the name of the run that a command takes when none is named.
const last = "last"

// newAgain returns a command that takes up an earlier run.
func newAgain(use, short string, carryOut func(*run, string) error) *cobra.Command {
	flags := &actionFlags{}
	all := jobOf(mixedName)
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.runFlags.parse(cmd, all); err != nil {
				return err
			}
			return runCommand(cmd, all, "", flags, func(r *run) error { return carryOut(r, args[0]) })
		},
	}
	cmd.Flags().BoolVar(&flags.sandbox, "sandbox", false, "the run must be one of the embedded stand-in (such a run goes there without this flag, too)")
	flags.runFlags.register(cmd, all)
	return cmd
}

func oneRun(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usage("rowbatch "+cmd.Name()+" last, or rowbatch runs for the ids", "%s takes one run's id or folder, or last", cmd.Name())
}

// unfit refuses a plan or a run that is not, or no longer, what it would have to be.
func unfit(try, format string, args ...any) *fault {
	return &fault{code: exitUnfit, text: fmt.Sprintf(format, args...), try: try}
}

// find returns the run of a name; of last, the newest that is of a kind. That
// never reaches past a newer one which is not fit to be taken up: whoever means
// an older one has to name it.
func (r *run) find(name, what string, is func(runs.Info) bool) (*runs.Dir, error) {
	if name != last {
		return r.findNamed(name, what)
	}
	all, err := runs.List(r.flags.reports)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(i runs.Info) bool { return i.Head.Mode == "" || is(i) }) // what a damaged run was, nobody knows
	if i < 0 {
		return nil, usage("rowbatch runs, or --reports with the folder that holds it", "there is no %s in %s that last could mean", what, r.flags.reports)
	}
	return runs.Find(r.flags.reports, all[i].ID)
}

// findNamed finds a run whose rows have outcomes: an export has none.
func (r *run) findNamed(name, what string) (*runs.Dir, error) {
	dir, err := runs.Find(r.flags.reports, name)
	if err != nil {
		return nil, err
	}
	switch exported, err := dir.HasBaseline(); {
	case err != nil:
		return nil, err
	case exported:
		return nil, usage("rowbatch runs", "%s is an export, and no %s: its rows were read, and nothing was sent", dir.ID(), what)
	}
	return dir, nil
}

// isEdit reports whether a run carries out rows or shows what that would do: an export does neither.
func isEdit(i runs.Info) bool { return i.Head.Mode != journal.ModeExport }

// isDryRun reports whether a run shows what another would send.
func isDryRun(i runs.Info) bool { return i.Head.Mode == journal.ModeDryRun || i.Head.Dry }

// isLive reports whether a run may have sent what an undo could take back.
func isLive(i runs.Info) bool {
	return i.Head.Mode == journal.ModeRun || i.Head.Mode == journal.ModeApply
}

// adopt takes from a journal what its run was.
func (r *run) adopt(h journal.Head) error {
	r.job, r.file = jobOf(h.Action), h.File
	f := r.flags
	if f.sandbox && h.Account != sandboxName {
		return unfit("leave --sandbox out, if that account is meant", "%s was about %s, and --sandbox names the embedded stand-in; nothing was sent", h.ID, withoutKeys(strings.Split(h.Account, ", ")))
	}
	f.sandbox = h.Account == sandboxName
	f.when, f.encoding, f.lookup = optionsOf(h)["when"], optionsOf(h)["encoding"], optionsOf(h)["lookup"]
	f.allowDuplicates, f.holdSuspended = optionsOf(h)["allow-duplicates"] != "", optionsOf(h)["hold-suspended"] != ""
	f.skipPing = optionsOf(h)["skip-ping"] != ""
	f.base, f.noBase = optionsOf(h)["base"], optionsOf(h)["no-base"] != ""
	f.match, f.ignore = split(optionsOf(h)["match"]), split(optionsOf(h)["ignore"])
	if n := optionsOf(h)["limit"]; n != "" {
		if _, err := fmt.Sscan(n, &f.limit); err != nil {
			return fmt.Errorf("the journal's limit %q cannot be read", n)
		}
	}
	f.rate = slices.DeleteFunc(f.rate, func(text string) bool { // of a system that this run has nothing to do with
		system, _, named := strings.Cut(text, "=")
		return named && !r.job.reaches(system)
	})
	if err := errors.Join(f.parseRates(r.job), f.adoptShard(optionsOf(h))); err != nil {
		return err
	}
	f.sharePace()
	return f.parseMatch()
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "\n")
}

// begin makes the folder of a run whose rows are another's.
func (r *run) begin(of *earlier, mode string) (err error) {
	h := of.journal.Head
	if err := r.makeDir(mode, h.File); err != nil {
		return err
	}
	if err := r.dir.ShareRows(of.dir); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	return nil
}

// absolute is a path that another folder's commands can follow.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// parent finds the run that a resumed one carries out or takes back.
func parent(h journal.Head, beside string) (*runs.Dir, error) {
	return relative(h, h.Of, beside)
}

// relative finds a run that another belongs to: beside it, where its folder may have
// been moved together with it, or where its parent was.
func relative(h journal.Head, id, beside string) (*runs.Dir, error) {
	for _, folder := range []string{filepath.Dir(absolute(beside)), filepath.Dir(h.OfPath)} {
		path := filepath.Join(folder, id)
		dir, err := runs.Find(folder, path)
		if err == nil && path != absolute(beside) {
			return dir, nil
		}
	}
	return nil, unfit("put the folder of that run beside this one's", "%s belongs to the run %s, which is not there any more; nothing was sent", h.ID, id)
}

// headOf is the head of a run that carries out, or takes back, another.
func (r *run) headOf(of *earlier, mode string) journal.Head {
	h := of.journal.Head
	h.ID, h.Mode, h.Of, h.Plan, h.Started, h.Program = r.dir.ID(), mode, of.journal.Head.ID, "", r.began.UTC(), Version
	h.OfPath = absolute(of.dir.Path())
	h.Account, h.Systems = r.services.account(), r.services.systems()
	return h
}
