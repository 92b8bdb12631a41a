package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"rowbatch/client/governor"
)

const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// startProgress shows how many of the rows are done until the returned function
// is called: a bar on a terminal, elsewhere a plain line every few seconds; and a
// remark that comes meanwhile.
func (r *run) startProgress(what string, total int, done func() int, remark <-chan string) func() {
	if r.console.quiet || total == 0 {
		return func() {}
	}
	p := &progress{run: r, what: what, total: total, done: done, began: time.Now(), w: r.console.err}
	every, show := lineEvery, p.line
	if r.console.watched() && !r.flags.verbose {
		p.bar = newBar(p.w, what, total)
		every, show = barEvery, p.draw
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show()
			case text := <-remark:
				p.clear()
				fmt.Fprintln(p.w, text)
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
		p.clear()
	}
}

type progress struct {
	run   *run
	what  string
	total int
	done  func() int
	began time.Time
	w     io.Writer
	said  string // of waiting, last
	bar   *progressbar.ProgressBar
}

func newBar(w io.Writer, what string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), // the default is standard output, which is for data
		progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24),
		progressbar.OptionFullWidth(), progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish())
}

// draw moves the bar.
func (p *progress) draw() {
	text := p.what
	if waiting := p.waiting(); waiting != "" {
		text = waiting
	}
	p.bar.Describe(text)
	p.err(p.bar.Set(min(p.done(), p.total-1))) // the last row clears the bar
}

// clear takes the bar off the screen.
func (p *progress) clear() {
	if p.bar != nil {
		p.err(p.bar.Clear())
	}
}

// err drops what a terminal answers to a bar: there is no better place to complain.
func (p *progress) err(error) {}

// line prints where the pass stands.
func (p *progress) line() {
	if waiting := p.waiting(); waiting != "" {
		if waiting != p.said {
			fmt.Fprintf(p.w, "rowbatch: %s of %s rows; %s\n", thousands(p.done()), thousands(p.total), waiting)
		}
		p.said = waiting
		return
	}
	done, took := p.done(), time.Since(p.began)
	text := fmt.Sprintf("rowbatch: %s: %s of %s rows", p.what, thousands(done), thousands(p.total))
	if done > 0 {
		left := time.Duration(float64(took) / float64(done) * float64(p.total-done))
		text += fmt.Sprintf(", %.1f rows/s, about %s left", float64(done)/took.Seconds(), seconds(left))
	}
	fmt.Fprintln(p.w, text)
}

// waiting says what holds the run up; "" when nothing does.
func (p *progress) waiting() string {
	until, reason, ok := p.run.services.waiting()
	if !ok || time.Until(until) < time.Second {
		return ""
	}
	return waitingFor(reason, until.Local(), time.Now())
}

// waitingFor tells a wait's end with its day when that is not today.
func waitingFor(reason governor.Reason, until, now time.Time) string {
	what := "waiting for the account's limit until "
	switch reason {
	case governor.DayLimit:
		what = "the day's requests are used up; waiting for the next day's until "
	case governor.Outage:
		what = "the server does not answer (--verbose shows why); trying again at "
	case governor.ServerPause:
		what = "the server asks for a pause until "
	}
	if until.Format(time.DateOnly) != now.Local().Format(time.DateOnly) {
		return what + until.Format("Mon 2 Jan 15:04:05")
	}
	return what + until.Format("15:04:05")
}
