package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rowbatch/client/sandbox"
)

const largeRows = 50_000

// largeOffice has as many customers, and a file with a row for each.
func largeOffice(b *testing.B) (o *office, path string) {
	b.Helper()
	o = newOffice(b, func(s *sandbox.Options) { s.Dir, s.Customers = "", largeRows })
	o.waits = 5 * time.Minute
	ids := o.box.IDs()
	text := strings.Builder{}
	text.WriteString("id,lastName,primaryPhone\n")
	for n, id := range ids[:largeRows] {
		fmt.Fprintf(&text, "%s,Name %d,555-%04d\n", id, n, n%10_000)
	}
	return o, o.file("large.csv", text.String())
}

// BenchmarkFirstRow is a person's wait from choosing a file of 50,000 rows to what it
// would change: the columns, the first rows of the preview, all of them.
func BenchmarkFirstRow(b *testing.B) {
	o, path := largeOffice(b)
	for b.Loop() {
		began := time.Now()
		o.drop("update", path)
		b.ReportMetric(time.Since(began).Seconds(), "s/columns")
		began = time.Now()
		o.click(toPreview)
		o.do(chromedp.WaitReady(chromedp.CSS(`[data-rows] tbody.rows .v`)))
		b.ReportMetric(time.Since(began).Seconds(), "s/first-row")
		o.await(`/would change a customer/.test(document.querySelector('[data-lead]')?.textContent)`)
		o.await(`document.querySelectorAll('[data-rows] tbody.rows .v').length > 20`)
		b.ReportMetric(time.Since(began).Seconds(), "s/all-rows")
	}
}

// BenchmarkFilter is how long the preview of 50,000 rows takes to show others: the
// search, an outcome, a field, and back.
func BenchmarkFilter(b *testing.B) {
	o, path := largeOffice(b)
	o.drop("update", path)
	o.click(toPreview)
	o.await(`/would change a customer/.test(document.querySelector('[data-lead]')?.textContent)`)
	o.await(`document.querySelectorAll('[data-rows] tbody.rows .v').length > 20`)
	for b.Loop() {
		for _, what := range []struct{ name, do string }{
			{"search", `q.value = 'name 77' + i; q.dispatchEvent(new Event('input', { bubbles: true }))`},
			{"back", `q.value = ''; q.dispatchEvent(new Event('input', { bubbles: true }))`},
			{"outcome", `document.querySelectorAll('.chip')[i % 2].click()`},
			{"field", `f.value = f.options[i % 3].value; f.dispatchEvent(new Event('change', { bubbles: true }))`},
		} {
			took := eval[[]float64](o, `(() => {
				const q = document.querySelector('[data-filter]'), f = document.querySelector('[data-field]'), took = [];
				for (let i = 0; i < 9; i++) {
					const began = performance.now();
					`+what.do+`;
					document.body.offsetHeight; // laid out
					took.push(performance.now() - began);
				}
				return took;
			})()`)
			first := took[0]
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "ms/"+what.name)
			b.ReportMetric(first, "ms/first-"+what.name)
		}
	}
}
