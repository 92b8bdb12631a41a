package web_test

import (
	_ "embed"
	"testing"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/audit.js
var audit string

// examine looks at a page as it is drawn on a telephone and on a screen, by day and by night.
func (o *office) examine(name string) {
	o.Helper()
	o.picture(name)
	seen := map[string]bool{} // each fault is told once
	for _, by := range []struct {
		wide   int64
		scheme string
	}{{360, "dark"}, {360, "light"}, {1280, "light"}} {
		o.look(by.wide, 900, by.scheme)
		o.await(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
		for _, fault := range eval[[]string](o, audit) {
			if !seen[fault] {
				seen[fault] = true
				o.Errorf("%s, %d pixels, %s: %s", name, by.wide, by.scheme, fault)
			}
		}
	}
}

// Every page can be read at 360 pixels, in the dark, and by those who do not see it.
func TestEveryPageCanBeReadByEverybody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.do(chromedp.Navigate(o.address), chromedp.WaitVisible(chromedp.CSS("h1")))
	o.examine("runs-none")
	o.visit("/new")
	o.examine("new")
	o.drop("update", o.file("march.csv", manyRows(90)+"987101,Nobody,\nnone,Nobody,\n987102,REMOVE,REMOVE\n"))
	o.examine("columns")
	o.click(toPreview)
	o.lead("rows would change")
	o.examine("preview")
	reached, release := o.holdUp(40, 1)
	o.click(toSend)
	<-reached
	o.await(`document.querySelectorAll('.plot rect').length > 0`)
	o.examine("sending")
	close(release)
	o.lead("Finished")
	o.examine("result")
	o.click(toUndo)
	o.lead("rows would change")
	o.examine("undo")
	o.drop("hold", o.file("overdue.csv", "id\n987001\n987002\n"))
	o.click(toPreview)
	o.lead("2 of 2 customers would be put on hold")
	o.examine("hold")
	o.drop("update", o.file("wrong.csv", "id,Surname of the customer,Remarks\n987001,x,y\n"))
	o.examine("columns-wrong")
	o.drop("update", o.file("damaged.csv", "id,lastName\n987001,\"x\n"))
	o.examine("refused")
	o.visit("/runs")
	o.examine("runs")
	o.visit("/runs/nothing")
	o.examine("trouble")
	o.expected("404")
	o.expected("422")
}
