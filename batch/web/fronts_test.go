package web_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"rowbatch/batch/runs"
)

// agree sends what a preview of a real account shows.
func (o *office) agree() {
	o.Helper()
	o.click(`[data-confirm]`)
	o.click(toSend)
}

// A run begun in the page is watched, resumed and taken back by the command line.
func TestWhatThePageBeginsTheCommandLineGoesOnWith(t *testing.T) {
	t.Parallel()
	o := newProgram(t)
	o.drop("update", o.file("page.csv", manyRows(60)))
	o.click(toPreview)
	o.lead("60 of 60 rows would change")
	o.picture("production")
	reached, release := o.holdUp(6, 1)
	o.agree()
	<-reached
	o.stop(release)
	o.command("resume", "last")
	o.do(chromedp.Reload())
	o.lead("Finished: 60 of 60 rows changed")
	o.effects(60)
	o.command("undo", "last")
	o.effects(120)
	o.do(chromedp.Reload())
	o.text("//*[@id='decide']//p", "This run was taken back")
	all, err := runs.List(runs.Disk(), o.reports)
	o.must(err)
	o.command("undo", all[0].Head.Of) // which finds nothing left to do
	o.visit("/runs")
	o.text("//main", "taken back by "+all[0].ID)
	o.effects(120)
	o.checkRuns()
}

// A run begun by the command line is watched, resumed and taken back in the page; a
// dry run of the command line is sent there.
func TestWhatTheCommandLineBeginsThePageGoesOnWith(t *testing.T) {
	t.Parallel()
	o := newProgram(t)
	o.do(chromedp.Navigate(o.address), chromedp.WaitVisible(chromedp.CSS("h1")))
	run := o.program("update", o.file("terminal.csv", manyRows(60)))
	reached, release := o.holdUp(6, 1)
	o.must(run.Start())
	<-reached
	o.visit("/runs")
	o.picture("runs-elsewhere")
	o.click(`.live a`)
	o.text("//*[@id='decide']//p", "goes on in another window or terminal")
	o.picture("elsewhere")
	o.must(run.Process.Signal(os.Interrupt))
	close(release)
	if err := run.Wait(); err == nil || run.ProcessState.ExitCode() != 130 {
		t.Fatalf("the command line ended with %v", err)
	}
	o.lead("Stopped: ")
	o.click(toResume)
	o.lead("Finished: 60 of 60 rows changed")
	o.effects(60)
	o.click(toUndo)
	o.lead("60 of 60 rows would change")
	o.agree()
	o.lead("Finished: 60 of 60 rows changed")
	o.effects(120)

	o.command("update", o.file("planned.csv", manyRows(20)), "--dry-run")
	o.visit("/runs")
	o.text("//table//td", "planned")
	o.do(chromedp.Click(chromedp.Search(`//tr[@data-state='planned']//a`)))
	o.lead("20 of 20 rows would change")
	o.agree()
	o.lead("Finished: 20 of 20 rows changed")
	o.effects(140)
	o.checkRuns()
}

// A workbook that was exported writes the cells that somebody edited, and no others: an
// edit of somebody else in the meantime stays.
func TestAnExportedWorkbookWritesItsEditedCellsOnly(t *testing.T) {
	t.Parallel()
	o := newProgram(t)
	path := filepath.Join(t.TempDir(), "customers.xlsx")
	o.command("export", o.file("some.csv", "id\n987001\n987002\n"), "--columns", "id,lastName,companyName", "-o", path)
	book, err := excelize.OpenFile(path)
	o.must(err)
	defer book.Close()
	o.must(book.SetCellValue(book.GetSheetName(0), "B2", "Edited"))
	o.must(book.Save())
	o.command("update", o.file("colleague.csv", "id,companyName\n987002,Changed Meanwhile Ltd\n"))
	o.effects(1)
	o.drop("update", path)
	o.text("//table//td", "which cells you have edited")
	o.click(toPreview)
	o.lead("1 of 2 rows would change")
	o.agree()
	o.lead("Finished: 1 of 2 rows changed")
	o.effects(2)
	if body, _ := o.box.Customer("987002"); !strings.Contains(string(body), "Changed Meanwhile Ltd") {
		t.Errorf("what a colleague wrote is gone: %s", body)
	}
}
