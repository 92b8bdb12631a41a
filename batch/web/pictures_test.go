package web_test

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rowbatch/client/sandbox"
)

// TestPictures makes the README's pictures of the page:
//
//	go test ./batch/web -run Pictures -pictures "$PWD/.pictures"
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("it is told by -pictures where to put them")
	}
	to, err := filepath.Abs(*pictures)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../samples/customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	o := newStandIn(t, func(s *sandbox.Options) { s.Minute, s.Day = 1000, 180_000 })
	t.Chdir(t.TempDir())
	o.reports = "reports" // as the page tells it
	o.servePage()
	small := func(name string) {
		t.Helper()
		o.do(chromedp.EmulateViewport(1120, 660, chromedp.EmulateScale(0.75)))
		o.await(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
		shot, err := chromedp.Run(o.tab, chromedp.CaptureScreenshot())
		o.must(err)
		o.must(os.WriteFile(filepath.Join(to, name+".png"), fewColours(o, shot), 0o600))
		o.do(chromedp.EmulateViewport(1280, 900))
	}
	o.drop("update", o.file("customers.csv", string(text)))
	o.click(toPreview)
	o.lead("would change")
	o.await(`document.querySelectorAll('tbody.rows').length > 5`)
	small("preview")
	many := strings.Builder{}
	many.WriteString("id,primaryPhone,primaryEmail,customerReference.reference2\n")
	for n := range 300 {
		email := ""
		if n%60 == 40 {
			email = "nobody at example.com"
		}
		fmt.Fprintf(&many, "%d,555-02%02d,%s,north-%d\n", 987001+n, n%100, email, n%4)
	}
	o.drop("update", o.file("march-clean-up.csv", many.String()))
	o.click(toPreview)
	o.lead("would change")
	reached, release := o.holdUp(170, 8)
	o.click(toSend)
	<-reached
	o.await(`document.querySelectorAll('.plot rect').length > 0 && document.querySelector('[data-failures] tbody.rows') !== null`)
	small("sending")
	close(release)
	o.lead("Finished")
	o.await(`document.querySelectorAll('tbody.rows').length > 5`)
	small("result")
}

// fewColours writes a picture with the 256 colours that it has most of.
func fewColours(o *office, shot []byte) []byte {
	o.Helper()
	full, err := png.Decode(bytes.NewReader(shot))
	o.must(err)
	uses := map[color.Color]int{}
	area := full.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			uses[full.At(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(uses), func(a, b color.Color) int {
		return cmp.Or(uses[b]-uses[a], strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	few := image.NewPaletted(area, most[:min(len(most), 256)])
	draw.Draw(few, area, full, area.Min, draw.Src)
	var text bytes.Buffer
	o.must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&text, few))
	return text.Bytes()
}
