package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

// choice is which rows of a plan are carried out. A nil choice is all of them.
type choice struct {
	as           intake.Choice // as a person made it
	only, except spans         // of lines of the input
	rows         spans         // what that comes to: the journal's word
	lines        []uint32      // of the input, by row
}

// checkChoice wants each part of a choice to say something: an empty one would be all rows.
func checkChoice(c intake.Choice, set func(flag string) bool) error {
	for flag, text := range map[string]string{"only": c.Only, "except": c.Except, "review": c.Review} {
		if set(flag) && text == "" {
			return batch.Usage("rowbatch apply --help", "--%s is given, and empty", flag)
		}
	}
	_, wrong := parseLines("only", c.Only)
	_, alsoWrong := parseLines("except", c.Except)
	return cmp.Or(wrong, alsoWrong)
}

// choose makes the choice of this command; nil where it makes none.
func choose(r *Session, shown *earlier) (*choice, error) {
	c, err := newChoice(r.Settings.Selection.Choice, shown)
	if c == nil || err != nil {
		return nil, err
	}
	if err := cmp.Or(c.names("only", c.only), c.names("except", c.except)); err != nil {
		return nil, err
	}
	struck := make([]bool, len(c.lines))
	if c.as.Review != "" {
		v := &review{shown: shown, lines: c.lines, name: c.as.Review, struck: struck}
		if err := v.read(r.Stop); err != nil {
			return nil, err
		}
		if len(v.strange) > 0 {
			r.Notice("columns_not_in_plan", fmt.Sprintf("%s: what stands under %s is no part of the plan, and is not sent", v.name,
				strings.Join(v.strange, ", ")))
		}
	}
	for n, line := range c.lines {
		if !struck[n] && (c.as.Only == "" || c.only.has(int(line))) && !c.except.has(int(line)) {
			c.rows.add(n)
		}
	}
	if c.rows == nil {
		c.rows = spans{{0, -1}} // no row at all: without spans, a head means all of them
	}
	return c, nil
}

// chosen is the choice that a run's head keeps.
func chosen(h journal.Head, as intake.Choice, shown *earlier) (*choice, error) {
	if h.Selection == nil {
		return nil, nil
	}
	c, err := newChoice(as, shown)
	if c != nil {
		c.rows = h.Selection
	}
	return c, err
}

// Chosen is what a choice leaves of a plan.
type Chosen struct {
	Preview *Preview
	LeftOut []int // lines of the rows that would else be sent
}

// Choose tells what the choice in a job's settings leaves of a plan, before anything carries it out.
func Choose(j Job, c Control, id string) (*Chosen, error) {
	r := j.Start(c)
	defer r.Release()
	dir, err := runs.Open(runs.Disk(), r.Settings.Output.Reports, id)
	if err != nil {
		return nil, err
	}
	shown, err := openEarlier(dir)
	if err != nil {
		return nil, err
	}
	defer shown.journal.Close()
	made, err := choose(r, shown)
	if err != nil {
		return nil, err
	}
	left := &Chosen{}
	if left.Preview, err = PreviewOf(shown.journal, made.leavesOut); err != nil || made == nil {
		return left, err
	}
	for n, line := range made.lines {
		if o, err := shown.journal.Outcome(n); err != nil {
			return nil, err
		} else if o.Kind == batch.WouldChange && made.leavesOut(n) {
			left.LeftOut = append(left.LeftOut, int(line))
		}
	}
	return left, nil
}

func newChoice(as intake.Choice, shown *earlier) (c *choice, err error) {
	if as == (intake.Choice{}) {
		return nil, nil
	}
	c = &choice{as: as}
	if c.only, err = parseLines("only", as.Only); err != nil {
		return nil, err
	}
	if c.except, err = parseLines("except", as.Except); err != nil {
		return nil, err
	}
	c.lines, err = shown.lines()
	return c, err
}

// names wants a row to start in each of some lines: else another file may be meant.
func (c *choice) names(flag string, lines spans) error {
	for _, s := range lines {
		if slices.ContainsFunc(c.lines, func(line uint32) bool { return int(line) >= s[0] && int(line) <= s[1] }) {
			continue
		}
		return batch.Usage("rb_line in the report of the dry run has the lines",
			"--%s %s: no row of the input starts there; nothing was sent", flag, spans{s})
	}
	return nil
}

func (c *choice) leavesOut(n int) bool { return c != nil && !c.rows.has(n) }

// why says who has left a row out.
func (c *choice) why(n int) string {
	switch line := int(c.lines[n]); {
	case c.except.has(line) && c.as.Struck:
		return "struck out before sending"
	case c.except.has(line):
		return "left out by --except " + short(c.as.Except)
	case c.as.Only != "" && !c.only.has(line):
		return "left out by --only " + short(c.as.Only)
	}
	return "left out in the review: rb_apply in " + c.as.Review + " does not say yes"
}

// short keeps the lines of many rows from standing in the report of each.
func short(lines string) string {
	const enough = 60
	if len(lines) > enough {
		return lines[:enough] + "…"
	}
	return lines
}

// record is what a journal's head keeps.
func (c *choice) record() [][2]int {
	if c == nil {
		return nil
	}
	return c.rows
}

// spans are numbers, each pair from … to.
type spans [][2]int

// parseLines reads lines as in 12,40-60.
func parseLines(flag, text string) (all spans, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 31)
		last := first
		if ranged && err == nil {
			last, err = strconv.ParseUint(strings.TrimSpace(to), 10, 31)
		}
		if err != nil || first == 0 || last < first {
			return nil, batch.Usage("--"+flag+" 12,40-60", "--%s: %q is no line of the input, and no lines from … to", flag, part)
		}
		all = append(all, [2]int{int(first), int(last)})
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
	var apart spans
	for _, s := range all {
		if last := len(apart) - 1; last >= 0 && s[0] <= apart[last][1] {
			apart[last][1] = max(apart[last][1], s[1])
		} else {
			apart = append(apart, s)
		}
	}
	return apart, nil
}

// add adds a number beyond all others.
func (s *spans) add(n int) {
	if last := len(*s) - 1; last >= 0 && (*s)[last][1] == n-1 {
		(*s)[last][1] = n
		return
	}
	*s = append(*s, [2]int{n, n})
}

func (s spans) has(n int) bool {
	at, _ := slices.BinarySearchFunc(s, n, func(part [2]int, n int) int { return part[1] - n })
	return at < len(s) && s[at][0] <= n
}

func (s spans) String() string {
	var all []string
	for _, part := range s {
		text := strconv.Itoa(part[0])
		if part[1] > part[0] {
			text += "-" + strconv.Itoa(part[1])
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// review is a plan's report that a person has gone through. Its rows may stand in any
// order; of the cells only rb_apply may be another.
type review struct {
	shown   *earlier
	lines   []uint32 // of the input, by row
	name    string   // of the file
	struck  []bool   // by row: what it comes to
	strange []string // headings of columns that the report does not have

	report  *reports.Lines
	rows    *runs.RowsPicker
	columns []int    // by column of the file: the report's; -1: it has none
	own     int      // how many columns of the report are not the input's
	heading []string // of the report
	byLine  []int    // rows, in the order of their lines
	at      []int    // by row: the line of the file; 0: it has not come
}

// notThisPlan refuses the file.
func (v *review) notThisPlan(line int, format string, args ...any) error {
	where := v.name
	if line > 0 {
		where += fmt.Sprintf(", %s %d", mapping.Unit(v.name), line)
	}
	return batch.Unfit("only rb_apply may be edited, in the report of this very plan, and no row deleted: write no under rb_apply instead",
		"%s is no review of the plan %s: %s; nothing was sent", where, v.shown.journal.Head.ID, fmt.Sprintf(format, args...))
}

func (v *review) read(stop context.Context) (err error) {
	in, file, err := intake.OpenReport(stop, v.name)
	if refused := (*csvfile.Refusal)(nil); errors.As(err, &refused) {
		return batch.Unfit("--review with the report of the dry run, as saved by a spreadsheet", "%v; nothing was sent", err)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if v.report, err = reports.NewLines(v.shown.dir, v.shown.journal); err != nil {
		return err
	}
	if v.rows, err = v.shown.dir.PickRows(len(v.lines)); err != nil {
		return err
	}
	defer v.rows.Close()
	if err := v.match(in.Heading()); err != nil {
		return err
	}
	for n := range v.lines {
		v.byLine = append(v.byLine, n)
	}
	slices.SortFunc(v.byLine, func(a, b int) int { return cmp.Compare(v.lines[a], v.lines[b]) })
	v.at = make([]int, len(v.lines))
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if refused := (*csvfile.Refusal)(nil); errors.As(err, &refused) {
			return batch.Unfit("save it anew", "%v; nothing was sent", err)
		}
		if err == nil && strings.TrimSpace(strings.Join(row.Cells, "")) != "" {
			err = v.take(row)
		}
		if err != nil {
			return err
		}
	}
	if n := slices.Index(v.at, 0); n >= 0 {
		return v.notThisPlan(0, "the row of line %d is missing", v.lines[n])
	}
	return nil
}

// match finds each column of the report in the file; of one name, in their order.
func (v *review) match(heading []string) error {
	own, input, err := v.report.Heading()
	if err != nil {
		return err
	}
	v.own, v.heading = len(own), slices.Concat(own, input)
	taken := make([]bool, len(v.heading))
	for _, name := range heading {
		at := slices.IndexFunc(v.heading, func(h string) bool { return mapping.Same(h, name) })
		for at >= 0 && taken[at] {
			next := slices.IndexFunc(v.heading[at+1:], func(h string) bool { return mapping.Same(h, name) })
			if next < 0 {
				at = -1
				break
			}
			at += 1 + next
		}
		if v.columns = append(v.columns, at); at >= 0 {
			taken[at] = true
		} else {
			v.strange = append(v.strange, fmt.Sprintf("%q", name))
		}
	}
	for i, name := range v.heading {
		needed := i >= v.own && strings.TrimSpace(name) != "" || slices.Contains([]string{"rb_apply", "rb_line", "rb_key"}, name)
		if needed && !taken[i] {
			return v.notThisPlan(0, "the column %q is missing", name)
		}
	}
	return nil
}

// take compares a row of the file with the plan's.
func (v *review) take(row csvfile.Row) error {
	cells := make([]string, len(v.heading))
	for i, at := range v.columns {
		if at >= 0 && i < len(row.Cells) {
			cells[at] = row.Cells[i]
		}
	}
	named := func(name string) string { return cells[slices.Index(v.heading, name)] }
	line, err := strconv.Atoi(strings.TrimSpace(named("rb_line")))
	at, known := slices.BinarySearchFunc(v.byLine, line, func(n, line int) int { return int(v.lines[n]) - line })
	if err != nil || !known {
		return v.notThisPlan(row.Line, "rb_line is %q, and no row of the input starts there", named("rb_line"))
	}
	n := v.byLine[at]
	if before := v.at[n]; before > 0 {
		return v.notThisPlan(row.Line, "the row of line %d stands in line %d, too", line, before)
	}
	v.at[n] = row.Line
	copied, err := v.rows.Row(n)
	if err != nil {
		return err
	}
	shown, own, o, err := v.report.Of(copied, func(_ string, o batch.Outcome) string { return batch.Fix(o.Code) })
	if err != nil {
		return err
	}
	if !mapping.Same(shown.Key, named("rb_key")) {
		return v.notThisPlan(row.Line, "rb_key of line %d is %q, and the plan's is %q", line, named("rb_key"), shown.Key)
	}
	was := slices.Concat(own, copied.Cells)
	for _, at := range v.columns {
		switch {
		case at < 0 || v.heading[at] == "rb_apply" || v.heading[at] == "rb_fix": // a later version may know a better fix
		case copied.Ragged && at >= v.own: // such a row is not sent
		case !mapping.Same(was[at], cells[at]):
			return v.notThisPlan(row.Line, "%s of the row of line %d is %q, and the plan's is %q",
				strings.TrimSpace(v.heading[at]), line, cells[at], was[at])
		}
	}
	switch word := strings.ToLower(strings.TrimSpace(named("rb_apply"))); {
	case slices.Contains([]string{"yes", "y", "true", "1"}, word):
	case word == "":
		v.struck[n] = o.Kind == batch.WouldChange
	case slices.Contains([]string{"no", "n", "false", "0"}, word):
		v.struck[n] = true
	default:
		return v.notThisPlan(row.Line, "rb_apply of the row of line %d is %q: it is yes or no", line, named("rb_apply"))
	}
	return nil
}
