package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"
)

// The whole way: a file, its columns, the preview with a row struck out, sending, the result, its undo.
func TestAnEditFromFileToUndo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("update", o.file("edits.csv", "id,Vorname,E-Mail\n987001,Ada <b>,\n987002,Bo,bo@example.com\n987003,Cy,nonsense\n"))
	o.picture("columns")
	o.click(toPreview)
	o.lead("2 of 3 rows would change")
	o.text("//*[@data-rows]//td", "Ada <b>")
	o.picture("preview")
	o.click(`tbody.rows input[type=checkbox]`)
	o.text("//form[@data-send]//button", "Send 1 row")
	o.text("//dd[b[@data-count]]", "1 row")
	o.click(toSend)
	o.lead("Finished: 1 of 3 rows changed")
	o.text("//*[@data-rows]//td", "bo@example.com")
	o.picture("result")
	report, err := os.ReadFile(filepath.Join(o.reports, eval[string](o, `document.querySelector('[data-run]').dataset.run`), "report.csv"))
	if err != nil || !strings.Contains(string(report), "struck out before sending") || strings.Contains(string(report), "--except") {
		t.Errorf("the report reads %s: %v", report, err)
	}
	o.effects(1)
	o.click(toUndo)
	o.lead("1 of 3 rows would change")
	o.picture("undo")
	o.click(toSend)
	o.lead("Finished: 1 of 3 rows changed")
	o.effects(2)
	o.click(`nav a[href="/runs"]`)
	o.text("//table//td", "undone")
	o.picture("runs")
}

// A workbook goes the same way: its dates, numbers and formulas as they are seen in it.
func TestAWorkbookFromFileToSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	book := excelize.NewFile()
	defer book.Close()
	for n, row := range [][]any{{"id", "Last name", "Company", "Phone"}, {987001, "Sheet", "Übergröße <&>", "5550177"},
		{987002, "", "", ""}, {987003, "Row", "", 5550188}} {
		o.must(book.SetSheetRow("Sheet1", fmt.Sprint("A", n+1), &row))
	}
	path := filepath.Join(t.TempDir(), "crm edits.xlsx")
	o.must(book.SaveAs(path))
	o.drop("update", path)
	o.text("//h1", "crm edits.xlsx")
	o.picture("workbook")
	o.click(toPreview)
	o.lead("2 of 3 rows would change")
	o.text("//*[@data-rows]//td", "Übergröße <&>")
	o.click(toSend)
	o.lead("Finished: 2 of 3 rows changed")
	o.effects(2)
	if body, _ := o.box.Customer("987003"); !strings.Contains(string(body), `"primaryPhone":"5550188"`) {
		t.Errorf("the customer has become %s", body)
	}
}

// A hold is sent only once its number is typed, and comes off hold only with an option.
func TestAHoldWithItsNumberTyped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("hold", o.file("overdue.csv", "id\n987001\n987002\n"))
	o.click(toPreview)
	o.lead("2 of 2 customers would be put on hold")
	o.picture("preview-hold")
	typed := chromedp.CSS(`#typed`)
	o.do(chromedp.WaitEnabled(typed), chromedp.SendKeys(typed, "3"))
	o.text("//*[@data-hint]", "Not 3")
	if !eval[bool](o, `document.querySelector('form[data-send] button').disabled`) {
		t.Error("the button is open with a wrong number")
	}
	o.do(chromedp.SendKeys(typed, "\b2"))
	o.text("//*[@data-hint]", "2 is right")
	o.click(toSend)
	o.lead("Finished: 2 of 2 rows changed")
	o.effects(2)
	o.click(toUndo) // which the browser does not send: there is no option that goes without saying
	o.await(`document.querySelector('#unhold').matches(':invalid')`)
	o.do(chromedp.SetValue(chromedp.CSS(`#unhold`), "NoChargesForMissedPeriods"))
	o.click(toUndo)
	o.lead("2 of 2 rows would change")
	o.text("//form[@data-send]", "They come off hold with NoChargesForMissedPeriods")
	o.text("//form[@data-send]", "Type the number of customers")
	o.picture("preview-unhold")
	o.do(chromedp.SendKeys(typed, "2"))
	o.click(toSend)
	o.lead("Finished: 2 of 2 rows changed")
	o.effects(4)
	o.text("//dl[dt='Option for coming off hold']/dd", "NoChargesForMissedPeriods")
}

// A mixed run whose holds are all that it changed says what to choose, and columns of no
// use to a hold are left out by one click.
func TestHoldsOfAMixedRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("run", o.file("mixed.csv", "action,id,Owner,Team,Floor\nhold,987001,a,b,c\n"))
	o.text("//*[contains(@class,'act')]", "3 columns without a field")
	o.do(chromedp.SetValue(chromedp.CSS(`select[name=field3]`), "ignore"))
	o.picture("others")
	o.click(`button[name=ignore][value=others]`)
	o.text("//*[contains(@class,'act')]//button", "Read the live records")
	o.click(toPreview)
	o.lead("1 of 1 ")
	o.do(chromedp.WaitEnabled(chromedp.CSS(`#typed`)), chromedp.SendKeys(chromedp.CSS(`#typed`), "1"))
	o.click(toSend)
	o.lead("Finished: 1 of 1 row changed")
	o.click(toUndo)
	o.text("//aside", "this run put 1 customer on hold")
	o.text("//aside", "choose how they come off hold")
	o.expected("422")
	o.picture("which-unhold")
	o.effects(1)
}

// Stop asks once, lets what is on its way finish, and leaves the rest to a resume.
func TestARunIsStoppedAndResumed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("update", o.file("many.csv", manyRows(120)))
	o.click(toPreview)
	o.lead("117 of 120 rows would change")
	reached, release := o.holdUp(30, 1)
	o.click(toSend)
	<-reached
	o.lead("Sending")
	o.picture("sending")
	o.stop(release)
	o.picture("stopped")
	if sent := len(o.box.Effects()); sent < 30 || sent > 40 {
		t.Fatalf("%d rows were sent before the stop, and eight workers had one on its way", sent)
	}
	o.click(toResume)
	o.lead("Finished: 117 of 120 rows changed")
	o.effects(117)
	o.checkRuns()
}

// stop stops the run under way, whose writes are held up.
func (o *office) stop(release chan<- struct{}) {
	o.Helper()
	o.click(toStop)
	o.text("//form[@data-stop]//button", "Yes, stop now")
	o.click(toStop)
	o.text("//*[@data-stopped]", "Stopping: requests in flight finish")
	close(release)
	o.lead("Stopped: ")
}

// manyRows is a file that sets each customer's name, one row for each.
func manyRows(n int) string {
	text := strings.Builder{}
	text.WriteString("id,lastName,middleName\n")
	for i := range n {
		fmt.Fprintf(&text, "%d,Name %d,M\n", 987001+i, i)
	}
	return text.String()
}
