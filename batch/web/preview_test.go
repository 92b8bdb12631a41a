package web_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"rowbatch/batch/journal"
)

// What is at stake follows the rows that are struck out, and a reviewed workbook strikes rows out.
func TestWhatFollowsFromStruckRows(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("update", o.file("mails.csv", "id,primaryEmail,firstName\n987001,one@example.com,Ada\n987002,one@example.com,Bo\n987003,,Cy\n"))
	o.click(toPreview)
	o.lead("3 of 3 rows would change")
	o.text("//*[@data-part='attention']", "one new address, one@example.com, for 2 customers")
	o.text("//*[@data-part='attention']", "changes for 2 customers")
	o.click(`tbody.rows input[type=checkbox]`)
	o.text("//form[@data-send]//button", "Send 2 rows")
	o.text("//*[@data-part='attention']", "changes for 1 customer")
	o.await(`!document.querySelector('[data-part=attention]').textContent.includes('one new address')`)
	o.picture("struck")

	run := eval[string](o, `document.querySelector('[data-run]').dataset.run`)
	book := o.downloaded("/runs/" + run + "/files/review.xlsx")
	f, err := excelize.OpenFile(book)
	o.must(err)
	rows, err := f.GetRows("Rows")
	o.must(err)
	if len(rows) != 4 || rows[0][0] != "rb_apply" || rows[1][0] != "yes" {
		t.Fatalf("the review reads %q", rows)
	}
	o.must(f.SetCellStr("Rows", "A4", "no"))
	o.must(f.SaveAs(book))
	o.do(chromedp.SetUploadFiles(chromedp.CSS(`input[name=review]`), []string{book}))
	o.text("//*[@data-said]", "Taken: 1 row struck out")
	o.text("//form[@data-send]//button", "Send 2 rows")
	o.text("//*[@data-part='attention']", "one new address")

	o.must(f.SetCellStr("Rows", "A4", "perhaps"))
	o.must(f.SaveAs(book))
	o.do(chromedp.SetUploadFiles(chromedp.CSS(`input[name=review]`), []string{book}))
	o.text("//*[@data-said]", "it is yes or no")
	o.picture("reviewed")
	o.click(toSend)
	o.lead("Finished: 2 of 3 rows changed")
	o.effects(2)

	run = eval[string](o, `document.querySelector('[data-run]').dataset.run`)
	text, err := os.ReadFile(o.downloaded("/runs/" + run + "/files/changes.csv"))
	o.must(err)
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) != 5 || !strings.Contains(lines[1], "2,Copperleaf Works,") {
		t.Errorf("changes.csv reads %q", lines)
	}
	if h := o.head(run); h.Selection == nil {
		t.Error("the journal does not tell which rows were chosen")
	}
	o.checkRuns()
}

// downloaded is a file that the page offers, kept under its name.
func (o *office) downloaded(path string) string {
	o.Helper()
	base, token, _ := strings.Cut(o.address, "/?token=")
	ask, err := http.NewRequestWithContext(o.Context(), http.MethodGet, base+path, nil)
	o.must(err)
	ask.AddCookie(&http.Cookie{Name: "rowbatch-" + ask.URL.Port(), Value: token})
	reply, err := http.DefaultClient.Do(ask)
	o.must(err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	o.must(err)
	if reply.StatusCode != http.StatusOK {
		o.Fatalf("%s: %s: %s", path, reply.Status, text)
	}
	name := filepath.Join(o.TempDir(), filepath.Base(path))
	o.must(os.WriteFile(name, text, 0o600))
	return name
}

// head is the first record of a run's journal.
func (o *office) head(run string) journal.Head {
	o.Helper()
	f, err := os.Open(filepath.Join(o.reports, run, "journal"))
	o.must(err)
	defer f.Close()
	h, err := journal.ReadHead(f)
	o.must(err)
	return h
}

// A real account is named by a customer of it, is confirmed, and is one run's at a time.
func TestARealAccountThatIsInUse(t *testing.T) {
	t.Parallel()
	o := newProgram(t, slow("put:slow=1s"))
	o.tab = o.newTab()
	o.drop("update", o.file("two.csv", "id,firstName\n987201,Ada\n987202,Bo\n"))
	o.click(toPreview)
	o.lead("2 of 2 rows would change")
	o.text("//*[@role='region']", "PRODUCTION")
	o.text("//*[@role='region']", "where id=987201 is ")
	if !eval[bool](o, `document.querySelector('form[data-send] button[type=submit]').disabled`) {
		t.Error("the button is open though nobody has confirmed the account")
	}
	o.picture("production")
	preview := eval[string](o, `location.pathname`)

	c := exec.Command("rowbatch", "update", o.file("many.csv", manyRows(120)), "--yes", "--reports", o.reports)
	c.Env = o.serves.Env
	o.must(c.Start())
	defer func() { _, _ = c.Process.Kill(), c.Wait() }()
	o.visit("/runs")
	o.await(`document.querySelector('.live') || (setTimeout(() => location.reload(), 200), false)`)
	o.click(`.live a`)
	o.lead("rows")
	o.text("//aside", "goes on in another window or terminal")
	o.picture("elsewhere")

	o.visit(preview)
	o.click(`[data-confirm]`)
	o.click(toSend)
	o.text("//*[contains(@class,'act')]", "rowbatch update")
	o.text("//*[contains(@class,'act')]", "Look again")
	o.expected("409")
	o.picture("locked")
}
