package web_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabTo presses Tab until a control has the focus, and wants each one on the way to be seen to have it.
func (o *office) tabTo(selector string) {
	o.Helper()
	for range 80 {
		o.do(chromedp.KeyEvent(kb.Tab))
		if !eval[bool](o, `((e) => {
			const seen = (x) => x && getComputedStyle(x).outlineStyle !== 'none' && parseFloat(getComputedStyle(x).outlineWidth) >= 2;
			return e === document.body || seen(e) || seen(e.closest('label'));
		})(document.activeElement)`) {
			o.Errorf("the focus is not seen on %s", eval[string](o, `document.activeElement.outerHTML.slice(0, 200)`))
		}
		if eval[bool](o, `document.activeElement.matches('`+selector+`')`) {
			return
		}
	}
	o.Fatalf("Tab does not lead to %s", selector)
}

// pressSlash presses the key in one event, as a keyboard does: chromedp's own types the letter in another.
func pressSlash(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "/", Code: "Slash", Text: "/"})
	return err
}

// An edit needs no mouse: from the file to the result with Tab, arrows, Space and Enter.
func TestAnEditByKeyboardAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	press := func(keys string) { o.Helper(); o.do(chromedp.KeyEvent(keys)) }
	o.do(chromedp.Navigate(o.address), chromedp.WaitVisible(chromedp.CSS("h1")))
	o.tabTo(`a.skip`)
	o.tabTo(`a[href="/new"]`)
	press(kb.Enter)
	o.do(chromedp.WaitVisible(chromedp.CSS("form[data-new]")))
	o.tabTo(`input[name=action]`)
	o.tabTo(`input[name=file]`)
	o.picture("focus-file")
	o.do(chromedp.SetUploadFiles(chromedp.CSS(`input[name=file]`), []string{o.file("keys.csv", manyRows(30))})) // the system's own window
	o.tabTo(`form[data-new] button[type=submit]`)
	press(kb.Enter)
	o.do(chromedp.WaitVisible(chromedp.CSS("#decide")))
	o.tabTo(`form[data-once] button`)
	press(kb.Enter)
	o.lead("30 of 30 rows would change")
	o.text("//*[@data-shown]", "30 rows shown")
	o.do(chromedp.Func(pressSlash))
	press("Name 1")
	o.text("//*[@data-shown]", "11 rows shown")
	press(kb.Escape)
	o.text("//*[@data-shown]", "30 rows shown")
	o.tabTo(`tbody.rows`)
	press(kb.ArrowDown)
	press(" ")
	o.text("//*[@data-struck]", "1")
	press(kb.End)
	press(" ")
	o.text("//*[@data-struck]", "2")
	if line := eval[string](o, `document.activeElement.querySelector('.l').textContent`); line != "31" {
		t.Errorf("End leads to line %s", line)
	}
	o.picture("focus-row")
	press(" ")
	press(kb.Home)
	press(kb.PageDown)
	press(kb.PageUp)
	if line := eval[string](o, `document.activeElement.querySelector('.l').textContent`); line != "2" {
		t.Errorf("a page down and up leads to line %s", line)
	}
	o.tabTo(`form[data-send] button[type=submit]`)
	o.picture("focus-send")
	press(kb.Enter)
	o.lead("Finished: 29 of 30 rows changed")
	o.effects(29)
}
