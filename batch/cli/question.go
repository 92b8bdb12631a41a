package cli

import (
	"bufio"
	"fmt"
	"strings"

	"rowbatch/batch"
	"rowbatch/reports"
)

// asks says that a person must agree before the first write.
func (r *run) asks() bool {
	return !r.flags.dryRun && !r.flags.yes && !r.account.loopback()
}

// mayAsk refuses a run that would have to ask and has nobody to ask.
func (r *run) mayAsk() error {
	if !r.asks() {
		return nil
	}
	keys := r.console.keyboard()
	if keys == nil {
		return usage("--dry-run to look first, then --yes", "this would write to %s, and there is no terminal to ask on", r.account.host())
	}
	return keys.Close()
}

// stopped says that a signal, or the run itself, has ended it early.
func (r *run) stopped() bool { return r.stop.Err() != nil }

// mustSurvey says that the live records are read before anything is sent, since
// a question or --expect needs to know what would change.
func (r *run) mustSurvey() bool {
	return !r.stopped() && (r.flags.expect >= 0 || r.asks() && r.rows.count() > 0)
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
	fmt.Fprint(r.console.err, "Send these changes? Type yes: ")
	if !strings.EqualFold(r.answer(), "yes") && !r.stopped() {
		return &fault{code: exitUsage, text: "not confirmed; nothing was sent"}
	}
	return nil
}

// describe says what is about to be sent, and where.
func (r *run) describe() {
	k, w := r.tally.kinds, r.console.err
	where := r.account.host()
	if rows := r.tally.preview.rows; len(rows) > 0 {
		where += fmt.Sprintf(", where %s is %s", rows[0].key, orUnnamed(rows[0].customer))
	}
	fmt.Fprintf(w, "\nAccount    %s\n", where)
	fmt.Fprintf(w, "Key        %s, from the column %q\n", r.in.mapper.KeyField(), r.in.mapper.KeyColumn())
	fmt.Fprintf(w, "Rows       %s to send, %s unchanged, %s rejected\n",
		thousands(k[batch.WouldChange]), thousands(k[batch.Unchanged]), thousands(k[batch.Rejected]+k[batch.Conflict]))
	for i, line := range r.tally.preview.fieldLines() {
		fmt.Fprintf(w, "%-10s %s\n", map[bool]string{true: "Fields"}[i == 0], line)
	}
	fmt.Fprintf(w, "Cost       %s\n", r.forecast())
	for _, warning := range r.tally.preview.warnings() {
		fmt.Fprintf(w, "Attention  %s\n", warning)
	}
}

func orUnnamed(customer string) string {
	if customer == "" {
		return "a customer without a name"
	}
	return reports.Visible(customer)
}

func (r *run) forecast() forecast {
	return newForecast(r.tally.kinds[batch.WouldChange], r.api.Governor.Allowance(), r.flags.ratePerSecond)
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
