package web_test

import (
	"context"
	"flag"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/batch/web"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

var pictures = flag.String("pictures", "", "folder for pictures of the pages")

// office is a page in a browser, with a stand-in behind it.
type office struct {
	*testing.T
	box     *sandbox.Sandbox
	reports string
	address string
	browser context.Context
}

// newOffice needs a browser: where there is none, the test is skipped, but for CI, which demands one.
func newOffice(t *testing.T) *office {
	t.Helper()
	found := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			found = path
			break
		}
	}
	if found == "" {
		if os.Getenv("ROWBATCH_DEMAND_BROWSER") != "" {
			t.Fatal("there is no chromium; install Debian's package")
		}
		t.Skip("there is no chromium to look at the page with")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	o := &office{T: t, box: box, reports: filepath.Join(t.TempDir(), "reports")}
	settings := job.Defaults()
	settings.Output.Reports = o.reports
	open := func(system string, _ job.Settings, _ int, _ func(string) error) (job.Endpoint, error) {
		e := job.Endpoint{System: system, URL: "http://localhost/v1", Key: "MDpzYW5kYm94", Name: job.StandIn, Transport: box.Transport()}
		if system == action.SystemTrackfinity {
			e.URL, e.Key, e.Username = "http://localhost/api", "sandbox-key", "admin"
		}
		return e, nil
	}
	server := httptest.NewUnstartedServer(nil)
	page, err := web.New(t.Context(), server.Listener.Addr().(*net.TCPAddr), web.Options{Settings: settings, Program: "test",
		Accounts: []web.Account{{Name: "sandbox", Host: "the sandbox", Word: "SANDBOX", Sandbox: true, Open: open}}})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = page
	server.Start()
	t.Cleanup(server.Close)
	o.address = page.Address()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(found), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.WindowSize(1280, 900))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	var cancel context.CancelFunc
	o.browser, cancel = chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(o.browser); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	o.browser, cancel = context.WithTimeout(o.browser, 2*time.Minute)
	t.Cleanup(cancel)
	return o
}

// do takes steps in the browser.
func (o *office) do(steps ...chromedp.Action[chromedp.Void]) {
	o.Helper()
	for n, step := range steps {
		ctx, end := context.WithTimeout(o.browser, 30*time.Second)
		err := chromedp.Do(ctx, step)
		for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "(-32000)") { // the page was left meanwhile
			err = chromedp.Do(ctx, step)
		}
		end()
		if err != nil {
			o.picture("failed")
			where, _ := chromedp.Run(o.browser, chromedp.Location())
			o.Fatalf("step %d at %s: %v", n+1, where, err)
		}
	}
}

// picture keeps what the browser shows, where somebody wants to look at it.
func (o *office) picture(name string) {
	o.Helper()
	if *pictures == "" {
		return
	}
	for suffix, size := range map[string][2]int64{"": {1280, 900}, "-narrow": {360, 800}} {
		err := chromedp.Do(o.browser, chromedp.EmulateViewport(size[0], size[1]), chromedp.Poll[chromedp.Void]("document.readyState === 'complete'"))
		var png []byte
		if err == nil {
			png, err = chromedp.Run(o.browser, chromedp.CaptureScreenshot())
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(*pictures, name+suffix+".png"), png, 0o600)
		}
		if err != nil {
			o.Fatal(err)
		}
	}
	o.do(chromedp.EmulateViewport(1280, 900))
}

// text waits until some element that an XPath finds holds a text.
func (o *office) text(path, want string) {
	o.Helper()
	o.do(chromedp.WaitVisible(chromedp.Search(path + `[contains(., "` + want + `")]`)))
}

// file writes an input.
func (o *office) file(name, text string) string {
	o.Helper()
	path := filepath.Join(o.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.Fatal(err)
	}
	return path
}

// drop begins a new edit with a file.
func (o *office) drop(action, path string) {
	o.Helper()
	o.do(chromedp.Navigate(o.address), chromedp.WaitVisible(chromedp.CSS("h1")))
	base, _, _ := strings.Cut(o.address, "/?")
	o.do(chromedp.Navigate(base+"/new"), chromedp.WaitVisible(chromedp.CSS("form[data-new]")),
		chromedp.Click(chromedp.CSS(`input[name=action][value=`+action+`]`)),
		chromedp.SetUploadFiles(chromedp.CSS(`input[name=file]`), []string{path}),
		chromedp.Click(chromedp.CSS(`form[data-new] button[type=submit]`)), chromedp.WaitVisible(chromedp.CSS("#decide")))
}

// The whole way: a file, its columns, the preview with a row struck out, sending, the result, its undo.
func TestAnEditFromFileToUndo(t *testing.T) {
	o := newOffice(t)
	o.drop("update", o.file("edits.csv", "id,Vorname,E-Mail\n987001,Ada <b>,\n987002,Bo,bo@example.com\n987003,Cy,nonsense\n"))
	o.picture("columns")
	o.do(chromedp.Click(chromedp.CSS(`form[data-once] button`)))
	o.text("//*[@data-lead]", "2 of 3 rows would change")
	o.text("//*[@data-rows]//td", "Ada <b>")
	o.picture("preview")
	o.do(chromedp.Click(chromedp.CSS(`tbody.rows input[type=checkbox]`)))
	o.text("//form[@data-send]//button", "Send 1 row")
	o.do(chromedp.Click(chromedp.CSS(`form[data-send] button[type=submit]`)))
	o.text("//*[@data-lead]", "Finished: 1 of 3 rows changed")
	o.text("//*[@data-rows]//td", "bo@example.com")
	o.picture("result")
	if n := len(o.box.Effects()); n != 1 {
		t.Fatalf("%d effects", n)
	}
	o.do(chromedp.Click(chromedp.CSS(`form[action$="/undo"] button`)))
	o.text("//*[@data-lead]", "1 of 3 rows would change")
	o.picture("undo")
	o.do(chromedp.Click(chromedp.CSS(`form[data-send] button[type=submit]`)))
	o.text("//*[@data-lead]", "Finished: 1 of 3 rows changed")
	if n := len(o.box.Effects()); n != 2 {
		t.Fatalf("%d effects", n)
	}
	o.do(chromedp.Click(chromedp.CSS(`nav a[href="/runs"]`)))
	o.text("//table//td", "undone")
	o.picture("runs")
}

// A hold is sent only once its number is typed, and comes off hold only with an option.
func TestAHoldWithItsNumberTyped(t *testing.T) {
	o := newOffice(t)
	o.drop("hold", o.file("overdue.csv", "id\n987001\n987002\n"))
	o.do(chromedp.Click(chromedp.CSS(`form[data-once] button`)))
	o.text("//*[@data-lead]", "2 of 2 customers would be put on hold")
	o.picture("preview-hold")
	o.do(chromedp.WaitEnabled(chromedp.CSS(`#typed`)), chromedp.SendKeys(chromedp.CSS(`#typed`), "3"))
	o.text("//*[@data-hint]", "Not 3")
	o.do(chromedp.SendKeys(chromedp.CSS(`#typed`), "\b2"))
	o.text("//*[@data-hint]", "2 is right")
	o.do(chromedp.Click(chromedp.CSS(`form[data-send] button[type=submit]`)))
	o.text("//*[@data-lead]", "Finished: 2 of 2 rows changed")
	if n := len(o.box.Effects()); n != 2 {
		t.Fatalf("%d effects", n)
	}
	o.do(chromedp.SetValue(chromedp.CSS(`#unhold`), "NoChargesForMissedPeriods"), chromedp.Click(chromedp.CSS(`form[action$="/undo"] button`)))
	o.text("//*[@data-lead]", "2 of 2 rows would change")
	o.text("//form[@data-send]", "Type the number of customers")
}

// Texts of a file and of a server are shown, and never run.
func TestHostileTextsAreOnlyShown(t *testing.T) {
	o := newOffice(t)
	const hostile = `</script><script>document.title='run'</script><img src=x onerror=document.title='run'>`
	quoted := `"` + strings.ReplaceAll(hostile, `"`, `""`) + `"`
	o.drop("update", o.file("a<b>.csv", "id,companyName,Notes<img src=x onerror=document.title='run'>\n987001,"+quoted+",x\n987002,=cmd|' /C calc'!A0,\u202eevil\n"))
	o.text("//*[@id='decide']//p", "is not listed")
	o.do(chromedp.Click(chromedp.CSS(`[data-ignore]`)))
	o.do(chromedp.Click(chromedp.CSS(`form[data-once] button`)))
	o.text("//*[@data-rows]//td", "</script>")
	o.picture("hostile")
	title, err := chromedp.Run(o.browser, chromedp.Title())
	if err != nil || strings.Contains(title, "run") && !strings.Contains(title, "rowbatch") {
		t.Errorf("the title is %q: %v", title, err)
	}
	scripts, err := chromedp.Run(o.browser, chromedp.Evaluate[int](`document.querySelectorAll("main script, main img").length`))
	if err != nil || scripts != 0 {
		t.Errorf("%d elements of a cell's own: %v", scripts, err)
	}
}
