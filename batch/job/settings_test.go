package job

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// parsed are the settings of a command line.
func parsed(t *testing.T, words ...string) Settings {
	t.Helper()
	s, flags := Defaults(), pflag.NewFlagSet("", pflag.ContinueOnError)
	s.Bind(flags, intake.ActionsOf(intake.Mixed), FileFlags)
	if err := flags.Parse(words); err != nil {
		t.Fatal(err)
	}
	return s
}

var everyFlag = []string{
	"--map", "crm.yaml", "--match", "Company=companyName", "--match", "E=primaryEmail", "--ignore", "Notes, old", "--ignore-others", "--header-row", "3",
	"--sheet", "My edits", "--hidden", "skip", "--blanks", "N/A,-", "--strict", "--allow-duplicates",
	"--base", "as it was.csv", "--delimiter", "tab", "--encoding", "windows-1252", "--when", `status == "Active"`, "--limit", "7", "--shard", "2/4",
	"--dry-run", "--expect-no-changes", "--sandbox", "--profile", "main", "--lookup", "list", "--hold-suspended", "--skip-ping", "--expect", "0", "--rate", "5/s", "--rate", "trackfinity=60/m",
	"--reserve", "12.5%", "--workers", "3", "--may-move", "quickBooksSyncToken", "--may-move", "x.y", "--timeout", "1m30s", "--max-failures", "5%", "--wait", "--html", "--xlsx", "--reports", "my reports",
}

// What a user set is what the journal keeps, and what a command that is printed says.
func TestSettingsComeBack(t *testing.T) {
	for _, words := range [][]string{nil, {"--no-base", "--max-failures", "3", "--delimiter", ";"}, everyFlag} {
		s := parsed(t, words...)
		kept, err := SettingsOf(journal.Head{Format: journal.Format, Settings: s.record()})
		if err != nil {
			t.Fatal(err)
		}
		kept.Output = s.Output // of the command, not of the run
		if diff := cmp.Diff(s, kept, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: the journal keeps other settings (-set +kept):\n%s", words, diff)
		}
		var again []string
		for _, word := range s.Words() {
			again = append(again, strings.Trim(word, "'"))
		}
		if diff := cmp.Diff(s, parsed(t, again...), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: the command line %q sets others (-set +printed):\n%s", words, again, diff)
		}
	}
}

func TestEveryFlagIsAmongThem(t *testing.T) {
	s, flags := Defaults(), pflag.NewFlagSet("", pflag.ContinueOnError)
	s.Bind(flags, intake.ActionsOf(intake.Mixed), FileFlags)
	ofThisCommand := []string{"yes", "lock-wait", "json", "quiet", "verbose", "log-format", "notify", "metrics"}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "no-base" && !slices.Contains(ofThisCommand, f.Name) && !slices.Contains(everyFlag, "--"+f.Name) {
			t.Errorf("--%s is not tried", f.Name)
		}
	})
}

func TestWordsOfOneCommandAreNotRepeated(t *testing.T) {
	s := parsed(t, "--yes", "--json", "--limit", "3")
	if got := strings.Join(s.Words(), " "); got != "--limit 3" {
		t.Errorf("%s", got)
	}
	s.Sending.KeepTheirs, s.Sending.Unhold = true, "NoChargesForMissedPeriods"
	if got := strings.Join(s.Words("keep-theirs", "unhold"), " "); got != "--keep-theirs --unhold NoChargesForMissedPeriods" {
		t.Errorf("%s", got)
	}
}

// What nobody asked for is divided, so that several processes are no heavier than one.
func TestShardsDivideThePace(t *testing.T) {
	for _, c := range []struct {
		of, set     int // shards; --workers, 0: not given
		workers     int
		trackfinity float64
	}{
		{0, 0, 8, 5},
		{1, 0, 8, 5},
		{3, 0, 3, 5.0 / 3},
		{4, 0, 2, 1.25},
		{20, 0, 1, 0.25},
		{4, 16, 16, 1.25},
	} {
		s := Defaults()
		s.Selection.Shard, s.Pace.Workers = intake.Shard{Shard: runs.Shard{Number: min(1, c.of), Of: c.of}}, c.set
		workers, rate := s.WorkersOf(action.SystemFusebill), s.rateOf(action.SystemTrackfinity, intake.ActionsOf(intake.Mixed))
		if workers != c.workers || math.Abs(float64(rate)-c.trackfinity) > 1e-9 {
			t.Errorf("%d shards, --workers %d: %d workers, Trackfinity %v/s", c.of, c.set, workers, rate)
		}
	}
}

// A bare rate is for the first system of the actions that the run turns out to be about.
func TestABareRateIsOfTheRunsOwnSystem(t *testing.T) {
	s := parsed(t, "--rate", "2/s")
	for name, want := range map[string][2]float64{"update": {2, 5}, "patch": {0, 2}, intake.Mixed: {2, 5}} {
		a := intake.ActionsOf(name)
		got := [2]float64{float64(s.rateOf(action.SystemFusebill, a)), float64(s.rateOf(action.SystemTrackfinity, a))}
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// A resume learns only from the run whose the rates are: of two for one system the last word counts.
func TestTheLastRateCounts(t *testing.T) {
	for _, words := range [][]string{{"trackfinity=9/s", "2/s"}, {"9/s", "trackfinity=2/s"}} {
		s := parsed(t, "--rate", words[0], "--rate", words[1])
		if got := s.rateOf(action.SystemTrackfinity, intake.ActionsOf("patch")); got != 2 {
			t.Errorf("%q: %v a second", words, got)
		}
	}
}

// What is wrong with a command line is refused before anything is read, with a way out.
func TestSettingsAreChecked(t *testing.T) {
	for words, want := range map[string]string{
		"--workers 0": "--workers must be between 1 and 256, not 0", "--workers 257": "--workers must be between 1 and 256, not 257",
		"--timeout 1us": "--timeout must be longer than a millisecond", "--lock-wait -1s": "--lock-wait cannot be negative",
		"--expect -1": "--expect cannot be negative", "--log-format xml": `--log-format is text or json, not "xml"`,
		"--quiet --verbose": "--quiet and --verbose exclude each other", "--limit 0": "--limit must be at least 1",
		"--lookup some": `--lookup is auto, list, ids or each, not "some"`, "--no-base --base x.csv": "--no-base and --base exclude each other",
		"--match x": `--match "x" is not of the form COL=field`, "--match a=b --match a=c": `--match names the column "a" twice`,
		"--encoding klingon": `klingon`, "--when status=": "--when ", "--when nope==1": "--when ",
		"--rate 1/s --rate fusebill=2/s": "--rate is given twice for fusebill", "--rate elsewhere=2/s": `run has nothing to do with "elsewhere"`,
	} {
		s, flags, actions := Defaults(), pflag.NewFlagSet("", pflag.ContinueOnError), intake.ActionsOf(intake.Mixed)
		s.Bind(flags, actions, FileFlags)
		if err := flags.Parse(strings.Fields(words)); err != nil {
			t.Fatal(err)
		}
		err := s.Check(actions, flags.Changed)
		if ExitCode(err) != batch.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", words, err, want)
		}
	}
	s := parsed(t, everyFlag...)
	s.Selection.When = `status == "Active"`
	if err := s.Check(intake.ActionsOf(intake.Mixed), func(string) bool { return true }); err == nil ||
		!strings.Contains(err.Error(), "--unhold") { // all flags are as if given, and of these only some must not be empty
		t.Errorf("%v", err)
	}
	if err := s.Check(intake.ActionsOf(intake.Mixed), func(flag string) bool { return !slices.Contains([]string{"unhold", "only", "except", "review"}, flag) }); err != nil {
		t.Errorf("%v", err)
	}
	patches := Defaults()
	patches.Selection.When = "true"
	if err := patches.Check(intake.ActionsOf("patch"), func(string) bool { return false }); ExitCode(err) != batch.ExitUsage {
		t.Errorf("a condition on what cannot be read: %v", err)
	}
}

// A word with control characters is shown without them, and is the same to the shell.
func TestAWordThatCannotBeShownIsQuoted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its shell has no such quotes")
	}
	for word, want := range map[string]string{
		"a\x1b[31m": `$'a\u001b[31m'`, "it's\n": `$'it\'s\u000a'`, `back\` + "\u202e": `$'back\\\u202e'`, "a b": "'a b'", "é": "é",
	} {
		if got := QuoteWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
