package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// asks says that a person must agree before the first write.
func (r *run) asks() bool {
	return !r.flags.dryRun && !r.flags.yes && !r.services.loopback()
}

// mayAsk refuses a run that would have to ask and has nobody to ask.
func (r *run) mayAsk() error {
	if !r.asks() {
		return nil
	}
	keys := r.console.keyboard()
	if keys == nil {
		return usage("--dry-run to look first, then --yes", "this would write to %s, and there is no terminal to ask on", r.services.hosts())
	}
	return keys.Close()
}

// mostHoldsByYes is how many customers may be put on hold without their number being given.
const mostHoldsByYes = 100

// mayHold refuses to take many customers out of service on a mere --yes.
func (r *run) mayHold() error {
	if r.flags.dryRun || !r.flags.yes || r.flags.expect >= 0 {
		return nil
	}
	for name, what := range map[string]string{"hold": "put customers on hold", "unhold": "take customers off hold"} {
		if n := r.work.countIn(name); n > mostHoldsByYes {
			return usage("--dry-run to see how many rows will be sent, then --yes with --expect and that number",
				"%s would %s, and for more than %d --yes alone is not enough; nothing was sent", plural(n, "row"), what, mostHoldsByYes)
		}
	}
	return nil
}

// stopped says that a signal, or the run itself, has ended it early.
func (r *run) stopped() bool { return r.stop.Err() != nil }

// mustSurvey says that it must be known what would change before anything is
// sent, for a question or for --expect.
func (r *run) mustSurvey() bool {
	return !r.stopped() && (r.flags.expect >= 0 || r.asks() && r.work.countIn("") > 0)
}

// consent compares what a first pass found with --expect, and asks. A run that
// was stopped meanwhile needs none: nothing will be sent.
func (r *run) consent() error {
	would := r.tally.kinds[batch.WouldChange]
	switch {
	case r.stopped():
		return nil
	case r.flags.expect >= 0 && r.flags.expect != would:
		return usage("--dry-run shows which", "%s would be sent, and --expect says %s; nothing was sent", plural(would, "row"), thousands(r.flags.expect))
	case !r.asks() || would == 0:
		return nil
	}
	r.describe()
	question, wanted := r.question()
	fmt.Fprint(r.console.err, question)
	if !strings.EqualFold(strings.ReplaceAll(r.answer(), ",", ""), wanted) && !r.stopped() {
		return &fault{code: exitUsage, text: "not confirmed; nothing was sent"}
	}
	return nil
}

// question is what is asked, and the answer that agrees. Who takes customers out
// of service, or brings them back, must have seen how many.
func (r *run) question() (text, agrees string) {
	p := &r.tally.preview
	switch {
	case p.holds > 0:
		return fmt.Sprintf("This puts %s on hold. Type the number of customers: ", plural(p.holds, "customer")), strconv.Itoa(p.holds)
	case p.unholds > 0:
		return fmt.Sprintf("This takes %s off hold, with %s. Type the number of customers: ", plural(p.unholds, "customer"), r.unhold), strconv.Itoa(p.unholds)
	}
	return "Send these changes? Type yes: ", "yes"
}

// describe says what is about to be sent, and where.
func (r *run) describe() {
	k, w := r.tally.kinds, r.console.err
	where := r.services.hosts()
	if rows := r.tally.preview.rows; len(rows) > 0 {
		where += fmt.Sprintf(", where %s is %s", rows[0].key, orUnnamed(rows[0].customer))
	}
	fmt.Fprintf(w, "\nAccount    %s\n", where)
	if r.in != nil {
		for _, line := range keyLines(r.in.mapper.Keys()) {
			fmt.Fprintf(w, "Key        %s\n", line)
		}
	}
	fmt.Fprintf(w, "Rows       %s to send, %s unchanged, %s rejected\n",
		thousands(k[batch.WouldChange]), thousands(k[batch.Unchanged]), thousands(k[batch.Rejected]+k[batch.Conflict]))
	for i, line := range r.tally.preview.fieldLines() {
		fmt.Fprintf(w, "%-10s %s\n", map[bool]string{true: "Fields"}[i == 0], line)
	}
	for i, line := range r.tally.preview.stakes.lines() {
		fmt.Fprintf(w, "%-10s %s\n", map[bool]string{true: "Holds"}[i == 0], line)
	}
	r.outlook = new(r.foresee(r.surveyed()))
	fmt.Fprintf(w, "Cost       %s\n", r.outlook)
	for _, warning := range r.tally.preview.warnings() {
		fmt.Fprintf(w, "Attention  %s\n", warning)
	}
}

func orUnnamed(customer string) string {
	if customer == "" {
		return "a customer without a name"
	}
	return batch.Visible(customer)
}

// keyLines tells from which columns the customers are known.
func keyLines(keys []mapping.KeyUse) (lines []string) {
	for _, k := range keys {
		line := fmt.Sprintf("%s, from the column %q", k.Field, k.Column)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// confirms asks for a yes, where there is somebody to ask.
func (r *run) confirms(question string) bool {
	keys := r.console.keyboard()
	if keys == nil {
		return false
	}
	if keys.Close() != nil {
		return false
	}
	fmt.Fprint(r.console.err, question+" Type yes: ")
	return strings.EqualFold(r.answer(), "yes")
}

// answer reads a line from the keyboard; a signal is an answer too.
func (r *run) answer() string {
	keys := r.console.keyboard()
	if keys == nil {
		return ""
	}
	line := make(chan string, 1)
	go func() { // ends with the process: a read from a terminal cannot be taken back
		text, _ := bufio.NewReader(keys).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case text := <-line:
		return text
	case <-r.stop.Done():
		fmt.Fprintln(r.console.err)
		return ""
	}
}
