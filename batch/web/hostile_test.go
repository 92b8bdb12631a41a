package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/tidwall/sjson"
)

// hostile are texts that would leave a mark if anything in them ever ran.
func hostile() []string {
	const mark = `sessionStorage.setItem('ran','1');alert(1)`
	return []string{
		`</script><script>` + mark + `</script>`,
		`"><img src=x onerror="` + mark + `">`,
		`<svg/onload=` + mark + `>`,
		`'-` + mark + `-'`,
		`javascript:` + mark,
		`{{.Secret}}${` + mark + "}`",
		`]]><!--<iframe srcdoc="<script>parent.` + mark + `</script>">`,
	}
}

// Texts of a file and of a server are shown, and never run.
func TestHostileTextsAreOnlyShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := hostile()
	o.box.Edit("987003", func(body []byte) []byte { // what the server says of a customer
		body, err := sjson.SetBytes(body, "companyName", all[0]+all[1])
		o.must(err)
		body, err = sjson.SetBytes(body, "lastName", all[2]+"\u202egnp.exe\u200b")
		o.must(err)
		return body
	})
	quoted := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	file := strings.Builder{}
	file.WriteString("id,companyName,lastName," + quoted("Notes"+all[1]) + "\n")
	for n, text := range all {
		fmt.Fprintf(&file, "%d,%s,,%s\n", 987001+n, quoted(text), quoted(text))
	}
	fmt.Fprintf(&file, "987011,=cmd|' /C calc'!A0,,\n987012,\\=1+1,,\n%s,x,,\n987014,\u202eevil\u2066,,\n987015,,\u202eworb\u202c,\n",
		quoted(all[0]))
	o.drop("update", o.file(`a<img src=x onerror=alert(1)>.csv`, file.String()))
	o.text("//*[contains(@class, 'act')]", "1 column without a field")
	o.picture("hostile-columns")
	o.click(`[name=ignore]`)
	o.click(toPreview)
	o.lead("would change")
	o.text("//*[@data-rows]//td", "</script>")
	o.picture("hostile")
	o.unharmed()
	o.click(toSend)
	o.lead("Finished")
	o.text("//*[@data-rows]//td", "</script>")
	o.unharmed()
	o.click(`nav a[href="/runs"]`)
	o.text("//table//th", "onerror=")
	o.unharmed()
	if !eval[bool](o, `!document.body.innerText.includes('\u202e')`) {
		t.Error("a text turns the page's direction around")
	}
}

// What a server answers with is shown, and never runs.
func TestAHostileAnswerIsOnlyShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, slow(`put:400:at=2`))
	all := hostile()
	o.drop("update", o.file("edits.csv", "id,title\n987001,Dr\n987002,Dr\n987003,Dr\n"))
	o.click(toPreview)
	o.lead("3 of 3 rows would change")
	o.box.Edit("987003", func(body []byte) []byte { // meanwhile somebody has made a conflict of it
		body, err := sjson.SetBytes(body, "title", all[0])
		o.must(err)
		return body
	})
	o.click(toSend)
	o.lead("Finished: 1 of 3 rows changed, 2 rows need work")
	o.text("//table[contains(@class, 'causes')]//th", "changed_since_plan")
	o.picture("failures")
	o.unharmed()
}

// A cell of a megabyte is neither sent nor in anybody's way.
func TestAVeryLongCell(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	long := strings.Repeat("long <b>cell</b> ", 60_000)
	o.drop("update", o.file("long.csv", "id,companyName,firstName\n987001,"+long+",Ada\n987002,,Bo\n"))
	o.text("//h1", "long.csv")
	if n := eval[int](o, `document.documentElement.outerHTML.length`); n > 200_000 {
		t.Errorf("the page of the columns has %d characters", n)
	}
	o.click(toPreview)
	o.lead("1 of 2 rows would change")
	o.text("//*[@data-rows]//td", "too")
	o.picture("long-cell")
	o.unharmed()
}

// unharmed makes sure that no text has run or become an element.
func (o *office) unharmed() {
	o.Helper()
	if eval[bool](o, `sessionStorage.getItem('ran') !== null`) {
		o.Error("a text has run")
	}
	if n := eval[int](o, `document.querySelectorAll("main script, main img, main iframe, main svg[onload], h1 *").length`); n != 0 {
		o.Errorf("%d elements of a cell's own", n)
	}
	if link := eval[string](o, `[...document.querySelectorAll("a[href]")].map((a) => a.protocol).find((p) => p !== "http:") ?? ""`); link != "" {
		o.Errorf("a link leads to %s", link)
	}
	title, err := chromedp.Run(o.tab, chromedp.Title())
	if err != nil || !strings.Contains(title, "rowbatch") {
		o.Errorf("the title is %q: %v", title, err)
	}
}
