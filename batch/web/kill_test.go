package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
	"rowbatch/client/sandbox"
)

var (
	kills    = flag.Int("kills", 2, "how often TestThePageIsKilled kills the program")
	killSeed = flag.Uint64("kill-seed", 1, "of its first trial")
	anywhere = flag.Bool("kill-anywhere", false, "also where an intent's write may not have left: then a resume waits half a minute for it")
)

// visitor uses the page without a browser.
type visitor struct {
	*office
	client *http.Client
	base   string
}

// errGone: the program does not answer any more.
var errGone = errors.New("the program is gone")

// enter starts the program, and shows it the token.
func (o *office) enter() *visitor {
	o.Helper()
	o.serve()
	jar, err := cookiejar.New(nil)
	o.must(err)
	base, _, _ := strings.Cut(o.address, "/?")
	v := &visitor{office: o, client: &http.Client{Jar: jar, Timeout: time.Minute}, base: base}
	_, err = v.ask(http.MethodGet, o.address[len(base):], "", nil)
	o.must(err)
	return v
}

// ask makes a request as the page's own scripts do, and returns where it led.
func (v *visitor) ask(method, where, kind string, body io.Reader) (at string, err error) {
	r, err := http.NewRequest(method, v.base+where, body)
	v.must(err)
	r.Header.Set("Origin", v.base)
	r.Header.Set("Content-Type", kind)
	reply, err := v.client.Do(r)
	if err != nil {
		return "", errGone
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	switch {
	case err != nil:
		return "", errGone
	case reply.StatusCode != http.StatusOK:
		v.Fatalf("%s %s: %s\n%.2000s", method, where, reply.Status, text)
	case strings.HasSuffix(where, "/state.json"):
		return string(text), nil
	}
	return reply.Request.URL.Path, nil
}

// post sends a form.
func (v *visitor) post(where string, form url.Values) (at string, err error) {
	return v.ask(http.MethodPost, where, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload begins a draft.
func (v *visitor) upload(action, name, text string) (draft string) {
	v.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, value := range map[string]string{"account": "environment", "action": action} {
		v.must(form.WriteField(field, value))
	}
	file, err := form.CreateFormFile("file", name)
	v.must(err)
	_, err = io.WriteString(file, text)
	v.must(errors.Join(err, form.Close()))
	at, err := v.ask(http.MethodPost, "/drafts", form.FormDataContentType(), &body)
	v.must(err)
	return at
}

// follow asks how far a run has come until it has ended.
func (v *visitor) follow(id string) error {
	for range time.Tick(20 * time.Millisecond) { // another process
		text, err := v.ask(http.MethodGet, "/runs/"+id+"/state.json", "", nil)
		if err != nil {
			return err
		}
		var state struct{ Ended bool }
		v.must(json.Unmarshal([]byte(text), &state))
		if state.Ended {
			return nil
		}
	}
	return nil
}

// killTrial is a file's whole way through the page, in which the program is killed again and again.
type killTrial struct {
	*visitor
	random *rand.Rand
	kills  int
	most   int      // of them
	known  []string // runs of the steps before
	where  map[string]int
}

// The program that serves the page is killed at any moment of its runs and resumes,
// among faults. Whatever it leaves is gone on with, in the page or by the command line,
// and holds against the stand-in's ledger, as runs of the command line do.
func TestThePageIsKilled(t *testing.T) {
	t.Parallel()
	began, all, where := time.Now(), 0, map[string]int{}
	for seed := *killSeed; all < *kills && !t.Failed(); seed++ {
		all += killThePage(t, seed, min(4, *kills-all), where)
	}
	t.Logf("%d kills in %s: %v", all, time.Since(began).Round(time.Second), where)
}

func killThePage(t *testing.T, seed uint64, most int, where map[string]int) int {
	o := newStandIn(t, func(o *sandbox.Options) {
		for i, text := range []string{"get:500:rate=2%", "get:slow=15ms:rate=60%", "put:late=15ms:rate=60%", "hold:late=15ms:rate=60%"} {
			faults, err := sandbox.ParseFaults([]string{fmt.Sprintf("%s:seed=%d", text, seed*100+uint64(i))})
			if err != nil {
				t.Fatal(err)
			}
			o.Faults = append(o.Faults, faults...)
		}
	})
	o.listenAsServer()
	k := &killTrial{visitor: o.enter(), random: rand.New(rand.NewPCG(seed, 1)), most: most, where: where}
	action, file, undo := "update", manyRows(60), url.Values{}
	if seed%2 == 0 {
		action, file = "hold", "id\n"
		for n := range 24 {
			file += fmt.Sprintln(987001 + n)
		}
		undo.Set("unhold", "NoChargesForMissedPeriods")
	}
	draft := k.upload(action, "edits.csv", file)
	plan := k.step("preview", draft+"/preview", nil)
	sent := k.step("sending", "/runs/"+plan+"/apply", k.agreeing(plan))
	back := k.step("looking at an undo", "/runs/"+sent+"/undo", undo)
	k.step("undoing", "/runs/"+back+"/apply", k.agreeing(back))
	for _, id := range k.known {
		k.resume(id) // once more, when all is done: this also writes the report of a run that was killed
	}
	k.checkRuns()
	return k.kills
}

// agreeing is what a person agrees to who has seen a preview.
func (k *killTrial) agreeing(plan string) url.Values {
	would, run := 0, k.run(plan)
	for _, o := range run.Outcomes {
		if o.Kind == batch.WouldChange {
			would++
		}
	}
	form := url.Values{"rows": {fmt.Sprint(would)}, "answer": {"yes"}}
	if run.Head.Action == "hold" {
		form.Set("answer", fmt.Sprint(would))
	}
	return form
}

// left is how many rows a step has still to write.
func (k *killTrial) left(id, where string) (n int) {
	switch {
	case strings.HasSuffix(where, "/apply") && id == "":
		n, _ = strconv.Atoi(k.agreeing(path.Base(path.Dir(where))).Get("rows"))
	case strings.HasSuffix(where, "/apply"):
		for _, o := range k.run(id).Outcomes {
			if !o.Kind.Settled() {
				n++
			}
		}
	}
	return n
}

func (k *killTrial) run(id string) *invariants.Run {
	k.Helper()
	d, err := runs.Open(runs.Disk(), k.reports, id)
	k.must(err)
	run, err := invariants.Read(d)
	k.must(err)
	return run
}

// newest is the run of this step; "": it has not begun.
func (k *killTrial) newest() string {
	k.Helper()
	all, err := runs.List(runs.Disk(), k.reports)
	k.must(err)
	for _, i := range all {
		if !slices.Contains(k.known, i.ID) && i.Head.Rows > 0 {
			return i.ID
		}
	}
	return ""
}

// step begins a run in the page, through kills, and returns it once it is complete.
func (k *killTrial) step(name, where string, form url.Values) string {
	k.Helper()
	for range 12 {
		id := k.newest()
		if id != "" && k.random.IntN(2) == 0 {
			k.resume(id)
		} else if k.throughThePage(name, where, form, id) {
			k.checkRunsThat(false)
			k.visitor = k.enter()
		}
		if id = k.newest(); id != "" && k.run(id).Complete() {
			break
		}
	}
	id := k.newest() // rows that were sent as often as they may may have stayed in doubt
	if id == "" {
		k.Fatalf("%s: it does not begin", name)
	}
	k.known = append(k.known, id)
	return id
}

// throughThePage begins a run or goes on with it, and reports whether the program was killed meanwhile.
func (k *killTrial) throughThePage(name, where string, form url.Values, id string) (killed bool) {
	k.Helper()
	disarm := func() bool { return false }
	if left := k.left(id, where); k.kills < k.most && k.random.IntN(4) > 0 && (left == 0 || left > 8 || *anywhere) {
		disarm = k.arm(left)
	}
	if id != "" {
		name, where, form = name+", resumed", "/runs/"+id+"/resume", nil
	}
	at, err := k.post(where, form)
	if err == nil {
		err = k.follow(path.Base(at))
	}
	if killed = disarm(); killed {
		k.kills++
		k.where[name]++
		k.kill()
	} else if err != nil {
		k.Fatalf("%s: the program ended by itself", name)
	}
	return killed
}

// arm has the program killed while all of its workers have a write on its way, or before
// long. The function that it returns ends that, and reports whether it has happened.
func (k *killTrial) arm(rows int) (disarm func() bool) {
	const workers = 8
	reached, release := k.holdUp(1+k.random.IntN(max(1, rows-workers)), workers)
	soon := time.After(2 * time.Second) // the first write goes alone: nothing more comes then
	if rows <= workers || *anywhere && k.random.IntN(2) == 0 {
		soon = time.After(time.Duration(k.random.IntN(400)) * time.Millisecond)
	}
	process, over, killed := k.serves.Process, make(chan struct{}), make(chan bool, 1)
	go func() {
		defer close(release)
		select {
		case <-reached:
		case <-soon:
		case <-over:
			killed <- false
			return
		}
		_ = process.Kill()
		killed <- true
	}()
	return func() bool { close(over); return <-killed }
}

// resume goes on with a run by the command line.
func (k *killTrial) resume(id string) {
	k.Helper()
	c := k.program("resume", id, "--timeout", "2s", "--max-failures", "10000")
	text, err := c.CombinedOutput()
	if code := c.ProcessState.ExitCode(); !slices.Contains([]int{0, 3, 4, 5}, code) {
		k.Fatalf("resume: %v\n%s", err, text)
	}
}
