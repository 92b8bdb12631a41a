package job

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/time/rate"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/client"
)

// Settings are all that a user sets of a run. Each field is bound to one flag, by
// [Settings.Bind]; the journal's head keeps them as they are, and [Settings.Words]
// turns them back into a command line. What of them does not suit a failed.csv, the
// command for that leaves out (Plan.next).
type Settings struct {
	Input     intake.Input     `json:"input"`
	Selection intake.Selection `json:"selection"`
	Sending   Sending          `json:"sending"`
	Pace      Pace             `json:"pace"`
	Output    Output           `json:"-"` // of this command, not of the run
}

// Sending is what is done with the rows.
type Sending struct {
	DryRun        bool     `json:"dry_run,omitempty"`
	Sandbox       bool     `json:"sandbox,omitempty"` // the embedded stand-in
	Profile       string   `json:"profile,omitempty"` // the account by the name that it has in the settings; "": the environment's
	Lookup        string   `json:"lookup"`            // auto, list, ids or each
	HoldSuspended bool     `json:"hold_suspended,omitempty"`
	SkipPing      bool     `json:"skip_ping,omitempty"`
	Yes           bool     `json:"-"`
	Expect        int      `json:"expect"`                // rows that must be sent; -1: any number
	KeepTheirs    bool     `json:"keep_theirs,omitempty"` // of an undo: fields that somebody else has changed are left
	Unhold        string   `json:"unhold,omitempty"`      // of an undo: with which option customers come off hold
	MayMove       []string `json:"may_move,omitempty"`    // fields that the server moves by itself
	NoChanges     bool     `json:"no_changes,omitempty"`  // of a dry run: it is to find nothing to change
}

// Pace is how fast a run may go, and when it stops by itself.
type Pace struct {
	Rate        Rates         `json:"rate,omitempty"`
	Reserve     Share         `json:"reserve,omitzero"`
	Workers     int           `json:"workers,omitempty"` // requests in flight; 0: as many as suit the system
	Timeout     time.Duration `json:"timeout"`
	MaxFailures FailureLimit  `json:"max_failures,omitzero"`
	Wait        bool          `json:"wait,omitempty"` // at the day's limit for the next day
	LockWait    time.Duration `json:"-"`
}

// over is this pace, and where nobody has set how fast it goes, that of an earlier run.
func (p Pace) over(earlier Pace, a intake.Actions) Pace {
	p.Rate, p.Workers = p.Rate.over(earlier.Rate, a), cmp.Or(p.Workers, earlier.Workers)
	if p.Reserve.IsZero() {
		p.Reserve = earlier.Reserve
	}
	return p
}

// Output is where a run goes, and how much is said about it.
type Output struct {
	Reports   string
	Usual     string // the folder for which no flag is needed: the profile's, or reports
	JSON      bool
	HTML      bool // report.html, too
	XLSX      bool // report.xlsx and failed.xlsx, too
	Quiet     bool
	Verbose   bool
	LogFormat string
	Notify    string // a command of the shell that is told the summary; "": nobody is
	Metrics   string // a file that takes figures for Prometheus; "": none
}

// Exports are the folders where exports are looked for.
func (o *Output) Exports() []string { return slices.Compact([]string{o.Reports, o.Usual}) }

func (o *Output) bind(f *pflag.FlagSet, which Flags) {
	f.StringVar(&o.Reports, "reports", o.Reports, "folder `DIR` where run folders go")
	if which&ExportFlags == 0 {
		f.BoolVar(&o.HTML, "html", o.HTML, "also write report.html, a page to look at and to hand on")
		f.BoolVar(&o.XLSX, "xlsx", o.XLSX, "also write report.xlsx and failed.xlsx")
		f.StringVar(&o.Notify, "notify", o.Notify,
			"at the end run `COMMAND` by the shell, with what --json prints on its standard input, for 60 s at most")
		f.StringVar(&o.Metrics, "metrics", o.Metrics, "at the end write figures for Prometheus to `FILE` (name it .prom)")
	}
	f.BoolVar(&o.JSON, "json", o.JSON, "print the summary as one JSON object")
	f.BoolVar(&o.Quiet, "quiet", o.Quiet, "no progress and no notices")
	f.BoolVar(&o.Verbose, "verbose", o.Verbose, "show each request")
	f.StringVar(&o.LogFormat, "log-format", o.LogFormat,
		"`text` or json: standard error as one JSON object a line, with time and code, for programs; asks nobody")
}

// DefaultReports is the folder where run folders go unless another is named.
const DefaultReports = "reports"

const defaultWorkers = 8

// Defaults returns the settings of a command without flags.
func Defaults() Settings {
	return Settings{
		Sending: Sending{Lookup: intake.LookupAuto, Expect: -1},
		Pace:    Pace{Reserve: usualReserve, Timeout: 30 * time.Second},
		Output:  Output{Reports: DefaultReports, Usual: DefaultReports, LogFormat: "text"},
	}
}

// SettingsOf returns the settings that a journal's head keeps.
func SettingsOf(h journal.Head) (Settings, error) {
	s := Defaults()
	err := error(nil)
	switch {
	case len(h.Settings) == 0:
	case h.Format == journal.OldFormat:
		err = s.readOld(h.Settings)
	default:
		err = json.Unmarshal(h.Settings, &s)
	}
	if err != nil {
		return s, fmt.Errorf("the settings in the journal of %s cannot be read: %w", h.ID, err)
	}
	return s, nil
}

// readOld takes from a journal of the old format what an undo needs to know.
func (s *Settings) readOld(text []byte) error {
	var o map[string]string
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	s.Input.AllowDuplicates = o["allow-duplicates"] != ""
	s.Sending.KeepTheirs, s.Sending.Unhold = o["keep-theirs"] != "", o["unhold"]
	s.Selection.Split = o["split"]
	if o["shard"] == "" {
		return nil
	}
	return s.Selection.Shard.UnmarshalText([]byte(o["shard"]))
}

// alsoMoving returns names of fields together, each once.
func alsoMoving(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (s Settings) record() json.RawMessage {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // settings always encode
	}
	return text
}

// Flags are the groups of flags that a command takes.
type Flags int

const (
	FileFlags   Flags = 1 << iota // of a file of rows
	UndoFlags                     // of an undo
	ResumeFlags                   // of any run, and of one that takes up another
	ExportFlags                   // of an export
	LookFlags                     // of a file that is only looked at
	CheckFlags                    // of a file that is checked and not sent
	ApplyFlags                    // of a plan that is carried out
)

// Bind binds each field to its flag. The value that a field has is its flag's default.
func (s *Settings) Bind(f *pflag.FlagSet, a intake.Actions, which Flags) {
	f.SortFlags = false
	switch which {
	case LookFlags:
		s.bindDialect(f)
		return
	case CheckFlags:
		s.bindInput(f)
		s.bindRows(f, a)
		s.bindDialect(f)
		f.StringVar(&s.Output.Reports, "reports", s.Output.Reports, "folder `DIR` with the exports that rows come from")
		f.BoolVar(&s.Output.JSON, "json", s.Output.JSON, "print what was found as one JSON object")
		f.BoolVar(&s.Output.Quiet, "quiet", s.Output.Quiet, "no notices")
		return
	}
	if which&FileFlags != 0 {
		s.bindFile(f, a)
	}
	if which&UndoFlags != 0 {
		options := strings.Join(client.ServiceStartOptions(), ", ")
		f.BoolVar(&s.Sending.DryRun, "dry-run", s.Sending.DryRun, "show what would be put back and how long that takes, write nothing")
		f.BoolVar(&s.Sending.NoChanges, "expect-no-changes", s.Sending.NoChanges, noChangesHelp)
		f.BoolVar(&s.Sending.KeepTheirs, "keep-theirs", s.Sending.KeepTheirs,
			"where somebody else has changed a field since, put back the row's other fields")
		f.StringVar(&s.Sending.Unhold, "unhold", s.Sending.Unhold, "take customers off hold, with `OPTION`: "+options)
	}
	if which&ApplyFlags != 0 {
		c := &s.Selection.Choice
		f.StringVar(&c.Review, "review", c.Review,
			"the plan's report as `FILE`, in which somebody has gone through rb_apply: only the rows that say yes")
		f.StringVar(&c.Only, "only", c.Only, "only the rows of these `LINES` of the input, as in 12,40-60; the others are skipped")
		f.StringVar(&c.Except, "except", c.Except, "the rows of these `LINES` of the input are skipped")
	}
	if which&(FileFlags|ExportFlags) == 0 {
		f.BoolVar(&s.Sending.Sandbox, "sandbox", s.Sending.Sandbox,
			"the run must be one of the embedded stand-in (such a run goes there without this flag, too)")
		f.StringVar(&s.Sending.Profile, "profile", s.Sending.Profile,
			"the run must be one of the account of the profile `NAME` (it goes to its own account without this flag, too)")
	}
	if which&ExportFlags != 0 {
		f.StringVar(&s.Input.Map, "map", s.Input.Map, mapHelp)
		s.BindAccount(f)
		s.bindDialect(f)
	}
	s.bindPace(f, a, which)
	if which&ExportFlags == 0 && a.Reaches(action.SystemFusebill) {
		f.StringArrayVar(&s.Sending.MayMove, "may-move", s.Sending.MayMove,
			"`FIELD` that the server moves by itself at any write: no side effect (repeatable)")
	}
	if which&ExportFlags == 0 {
		f.TextVar(&s.Pace.MaxFailures, "max-failures", s.Pace.MaxFailures,
			"stop early after `N` failures or P% (default: 10 in a row, or 20% after 50 rows)")
		f.BoolVar(&s.Sending.Yes, "yes", s.Sending.Yes, "do not ask before the first write")
		f.IntVar(&s.Sending.Expect, "expect", s.Sending.Expect, "send nothing unless `N` rows will be sent")
		f.Lookup("expect").DefValue = "0" // help shows no default then
		f.DurationVar(&s.Pace.LockWait, "lock-wait", s.Pace.LockWait, "wait so long for another run of this account to end")
	}
	s.Output.bind(f, which)
}

const (
	mapHelp       = "mapping `FILE` (default: headings are field names; see rowbatch help mapping)"
	sandboxHelp   = "use the embedded stand-in; its state outlives the command"
	noChangesHelp = "of a dry run: end with 14 if anything would change"
)

// BindAccount binds what says where requests go.
func (s *Settings) BindAccount(f *pflag.FlagSet) {
	f.BoolVar(&s.Sending.Sandbox, "sandbox", s.Sending.Sandbox, sandboxHelp)
	f.StringVar(&s.Sending.Profile, "profile", s.Sending.Profile, "the account of the profile `NAME` (see rowbatch help settings)")
}

// bindInput binds what the columns and cells of a file mean.
func (s *Settings) bindInput(f *pflag.FlagSet) {
	in := &s.Input
	f.StringVar(&in.Map, "map", in.Map, mapHelp)
	f.StringArrayVar(&in.Match, "match", in.Match,
		"guard `COL=field`: the live record must have the cell's value in that field (repeatable)")
	f.StringArrayVar(&in.Ignore, "ignore", in.Ignore, "leave the column `COL` out (repeatable)")
	f.StringSliceVar(&in.Blanks, "blanks", in.Blanks, "cells that are one of these `WORD,WORD` mean blank")
	f.BoolVar(&in.IgnoreOthers, "ignore-others", in.IgnoreOthers, "leave out every column that is no field")
}

// bindRows binds what the rows of a file are held against.
func (s *Settings) bindRows(f *pflag.FlagSet, a intake.Actions) {
	in := &s.Input
	f.BoolVar(&in.AllowDuplicates, "allow-duplicates", in.AllowDuplicates,
		"a customer may stand in several rows of one action; they run in file order")
	if a.Any(func(s action.Spec) bool { return s.Schema.Exported }) {
		f.BoolVar(&in.NoBase, "no-base", in.NoBase, "write every cell that differs from the live record, even in an exported file")
		f.StringVar(&in.Base, "base", in.Base, "an exported `FILE` as it was: what rows are compared with, in place of their rb_export")
	}
}

func (s *Settings) bindFile(f *pflag.FlagSet, a intake.Actions) {
	in, sel, send := &s.Input, &s.Selection, &s.Sending
	s.bindInput(f)
	f.BoolVar(&send.DryRun, "dry-run", send.DryRun,
		"read the live records, show what would change and how long sending takes, write nothing")
	f.BoolVar(&send.NoChanges, "expect-no-changes", send.NoChanges, noChangesHelp)
	s.BindAccount(f)
	if a.Reaches(action.SystemFusebill) {
		f.StringVar(&send.Lookup, "lookup", send.Lookup,
			"`HOW` current records are found: auto, list (page through the customer list), ids (ask for sets of ids) "+
				"or each (one request a row)")
	}
	f.StringVar(&sel.When, "when", sel.When, "only rows whose live record satisfies `EXPR`; the others are skipped")
	f.IntVar(&sel.Limit, "limit", sel.Limit, "only the first `N` data rows (default: all)")
	f.TextVar(&sel.Shard, "shard", sel.Shard,
		"only the rows that belong to shard `I/N`, I from 1 to N; the others are skipped (see rowbatch help shards)")
	f.BoolVar(&in.Strict, "strict", in.Strict, "refuse the whole file when a check rejects any row")
	s.bindRows(f, a)
	if a.Any(func(s action.Spec) bool { return s.Suspends }) {
		f.BoolVar(&send.HoldSuspended, "hold-suspended", send.HoldSuspended, "a Suspended customer may be held")
	}
	if a.Reaches(action.SystemTrackfinity) {
		f.BoolVar(&send.SkipPing, "skip-ping", send.SkipPing, "do not ping Trackfinity before the first patch")
	}
	s.bindDialect(f)
}

func (s *Settings) bindDialect(f *pflag.FlagSet) {
	f.TextVar(&s.Input.Delimiter, "delimiter", s.Input.Delimiter, "`CHAR` between cells: , ; tab or | (default: detected)")
	f.StringVar(&s.Input.Encoding, "encoding", s.Input.Encoding, "`NAME` of the file's encoding, such as windows-1252 (default: detected)")
	f.IntVar(&s.Input.HeaderRow, "header-row", s.Input.HeaderRow,
		"line `N` holds the heading, and titles stand above it (default: found among the first ten rows)")
	f.StringVar(&s.Input.Sheet, "sheet", s.Input.Sheet, "`NAME` of the workbook's sheet (default: the only one whose headings fit)")
	f.StringVar((*string)(&s.Input.Hidden), "hidden", string(s.Input.Hidden),
		"`take` or skip the hidden rows and columns of a sheet (default: a sheet that has any is refused)")
}

func (s *Settings) bindPace(f *pflag.FlagSet, a intake.Actions, which Flags) {
	p := &s.Pace
	rates := "most requests, as `N/s` or N/m (default: the account's own limit)"
	workers, shown := "requests in flight", strconv.Itoa(defaultWorkers)
	switch {
	case a.Mixed():
		rates = "most requests, as `N/s` or N/m, or trackfinity=N/s (default: the account's own limit, Trackfinity 5/s)"
		workers += "; of Trackfinity 1 unless set"
	case a.Reaches(action.SystemTrackfinity):
		rates, shown = "most requests, as `N/s` or N/m (default 5/s)", "1"
	}
	f.StringArrayVar((*[]string)(&p.Rate), "rate", p.Rate, rates)
	f.TextVar(&p.Reserve, "reserve", p.Reserve, "share `P%` of the account's limit left to its other users")
	f.IntVar(&p.Workers, "workers", p.Workers, workers)
	f.Lookup("workers").DefValue = shown
	f.DurationVar(&p.Timeout, "timeout", p.Timeout, "longest wait for one answer")
	f.BoolVar(&p.Wait, "wait", p.Wait, "at the day's limit wait for its reset instead of stopping")
	if which&(FileFlags|ExportFlags) == 0 {
		for _, name := range []string{"rate", "reserve", "workers"} {
			flag := f.Lookup(name)
			flag.Usage, _, _ = strings.Cut(flag.Usage, " (default")
			flag.DefValue = "the earlier run's"
		}
	}
}

// Check reports what is wrong with the settings before anything is read. set tells
// which flags the user gave.
func (s *Settings) Check(a intake.Actions, set func(flag string) bool) error {
	p := s.Pace
	switch {
	case set("workers") && (p.Workers < 1 || p.Workers > 256):
		return batch.Usage("--workers 8", "--workers must be between 1 and 256, not %d", p.Workers)
	case p.Timeout < time.Millisecond:
		return batch.Usage("--timeout 30s", "--timeout must be longer than a millisecond")
	case p.LockWait < 0:
		return batch.Usage("--lock-wait 5m", "--lock-wait cannot be negative")
	case set("expect") && s.Sending.Expect < 0:
		return batch.Usage("--expect 12", "--expect cannot be negative")
	case s.Sending.NoChanges && !s.Sending.DryRun:
		return batch.Usage("--dry-run", "--expect-no-changes is of a dry run")
	case s.Output.LogFormat != "text" && s.Output.LogFormat != "json":
		return batch.Usage("--log-format json", "--log-format is text or json, not %q", s.Output.LogFormat)
	case s.Output.Quiet && s.Output.Verbose:
		return batch.Usage("", "--quiet and --verbose exclude each other")
	case slices.Contains(s.Sending.MayMove, ""):
		return batch.Usage("--may-move FIELD", "--may-move wants the name of a field, as rb_error has it")
	case set("header-row") && s.Input.HeaderRow < 1:
		return batch.Usage("--header-row 3", "--header-row is the heading's line, counted from 1")
	case set("limit") && s.Selection.Limit < 1:
		return batch.Usage("--limit 10", "--limit must be at least 1")
	case !slices.Contains(intake.Lookups(), s.Sending.Lookup):
		return batch.Usage("--lookup auto", "--lookup is auto, list, ids or each, not %q", s.Sending.Lookup)
	}
	if set("unhold") || s.Sending.Unhold != "" {
		if err := checkUnhold(s.Sending.Unhold); err != nil {
			return err
		}
	}
	if err := checkChoice(s.Selection.Choice, set); err != nil {
		return err
	}
	if err := p.Rate.check(a); err != nil {
		return err
	}
	if err := s.Input.Check(); err != nil {
		return err
	}
	return checkCondition(s.Selection.When, a)
}

// Words returns the words of a command line that sets what differs from the
// defaults: of the flags that are named, or, without names, of all but those of this
// one command (--json, --yes and the like).
func (s Settings) Words(names ...string) (words []string) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	unset := pflag.NewFlagSet("", pflag.ContinueOnError)
	defaults, actions, which := Defaults(), intake.ActionsOf(intake.Mixed), FileFlags
	if slices.Contains(names, "unhold") {
		which = UndoFlags
	}
	s.Bind(all, actions, which)
	defaults.Bind(unset, actions, which)
	all.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.String() == unset.Lookup(flag.Name).Value.String() || len(names) > 0 && !slices.Contains(names, flag.Name) ||
			len(names) == 0 && slices.Contains([]string{"json", "yes", "notify", "metrics", "log-format"}, flag.Name) {
			return
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			words = append(words, "--"+flag.Name)
			if flag.NoOptDefVal == "" {
				words = append(words, QuoteWord(value))
			}
		}
	})
	return words
}

// QuoteWord quotes a word for the shell of the system.
func QuoteWord(s string) string {
	switch {
	case batch.Visible(s) != s && runtime.GOOS != "windows": // $'…' reads escapes, and shows none
		return "$'" + batch.Visible(strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s)) + "'"
	case s != "" && !strings.ContainsAny(s, " \t\r\n\"'$`\\&|;<>()*?[]#~!{}%^"):
		return s
	case runtime.GOOS == "windows":
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// WorkersOf is how many requests of a system may be in flight. A Trackfinity install
// gets one at a time unless more are asked for: it is somebody's own server, and no
// limit of it is documented. Shards divide among themselves what nobody has asked
// for: together they have no more in flight than one run, of which the limit headers
// tell the others only once they are answered.
func (s Settings) WorkersOf(system string) int {
	switch {
	case s.Pace.Workers > 0:
		return s.Pace.Workers
	case system == action.SystemTrackfinity:
		return 1
	case s.Selection.Shard.Some():
		return (defaultWorkers + s.Selection.Shard.Of - 1) / s.Selection.Shard.Of
	}
	return defaultWorkers
}

// rateOf is the most requests of a system a second; 0: as the account allows.
// Trackfinity tells no limit, so that shards divide what it is asked for.
func (s Settings) rateOf(system string, a intake.Actions) rate.Limit {
	if limit := s.Pace.Rate.of(system, a); limit > 0 || system != action.SystemTrackfinity {
		return limit
	}
	return client.TrackfinityRate / rate.Limit(max(1, s.Selection.Shard.Of))
}

// Rates are the texts of --rate: N/s, N/m, or either for a system, as in trackfinity=N/s.
type Rates []string

// ParseRate returns requests a second, and the system, "" where none is named.
func ParseRate(text string) (system string, limit rate.Limit, err error) {
	speed := text
	if name, of, named := strings.Cut(text, "="); named {
		system, speed = name, of
	}
	count, unit, _ := strings.Cut(speed, "/")
	n, err := strconv.ParseFloat(count, 64)
	seconds := map[string]float64{"s": 1, "m": 60}[unit]
	if err != nil || !(n > 0) || math.IsInf(n, 1) || seconds == 0 {
		return "", 0, batch.Usage("--rate 5/s, or --rate 300/m", "--rate %q is not a number of requests a second or a minute", speed)
	}
	return system, rate.Limit(n / seconds), nil
}

// check wants each rate to be of a system that the actions reach, and each once. A
// bare rate is that of their first system.
func (r Rates) check(a intake.Actions) error {
	seen := map[string]bool{}
	for _, text := range r {
		system, _, err := ParseRate(text)
		if err != nil {
			return err
		}
		if system == "" {
			system = a.Specs[0].Schema.System
		}
		switch {
		case !a.Reaches(system):
			return batch.Usage("--rate 5/s", "--rate %q: %s has nothing to do with %q", text, a.Name, system)
		case seen[system]:
			return batch.Usage("one --rate", "--rate is given twice for %s", system)
		}
		seen[system] = true
	}
	return nil
}

// of is the rate of a system, 0 where none is set. Of two, as a resume may be given whose
// actions are known only later, the last word of the command line counts.
func (r Rates) of(system string, a intake.Actions) rate.Limit {
	for _, text := range slices.Backward(r) {
		name, limit, err := ParseRate(text)
		if err == nil && (name == system || name == "" && system == a.Specs[0].Schema.System) {
			return limit
		}
	}
	return 0
}

// over are these rates, and of an earlier run's those of systems that these say nothing of.
func (r Rates) over(earlier Rates, a intake.Actions) Rates {
	kept := slices.DeleteFunc(slices.Clone(earlier), func(text string) bool {
		system, _, _ := ParseRate(text)
		return r.of(cmp.Or(system, a.Specs[0].Schema.System), a) > 0
	})
	return append(kept, r...)
}

// Share is a part of a whole, from 0 to under 1; as text a percentage.
type Share float64

// usualReserve is that of an account for which nothing else is laid down. Less than
// nothing, it is no share that anybody asks for.
const usualReserve Share = -0.1

// of is the reserve of an account with these terms.
func (s Share) of(t Terms) float64 {
	if s == usualReserve && t.Reserve != nil {
		return float64(*t.Reserve)
	}
	return math.Abs(float64(s))
}

// IsZero reports whether nobody has asked for a share: then the journal keeps none.
func (s Share) IsZero() bool { return s == usualReserve }

func (s Share) MarshalText() ([]byte, error) {
	s = Share(math.Abs(float64(s)))
	return []byte(strconv.FormatFloat(100*float64(s), 'g', 10, 64) + "%"), nil
}

func (s *Share) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || !(n >= 0 && n < 100) {
		return batch.Usage("--reserve 10%", "--reserve %q is not a share between 0%% and 99%%", text)
	}
	*s = Share(n / 100)
	return nil
}
