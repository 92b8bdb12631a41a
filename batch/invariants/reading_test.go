package invariants_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

func TestReadLedger(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	write("snapshot.jsonl", `{"format":1,"seq":0}`+"\n"+`{"id":7,"a":1}`+"\n")
	first := `{"seq":1,"kind":"put","id":"7","before":{"id":7,"a":1},"after":{"id":7,"a":2}}` + "\n"
	write("effects.jsonl", first+`{"seq":2,"kind":"put","id":"7","before":{"id":7,"a":2},"after":{"id":7,"a":3}}`+"\n"+`{"seq":3,"ki`)
	l, err := invariants.ReadLedger(dir)
	must(t, err)
	if len(l.Effects) != 2 || l.Last() != 2 || len(l.After(1).Effects) != 1 || l.After(2).Last() != 0 {
		t.Errorf("%+v", l)
	}
	for name, text := range map[string]string{
		"a write that nobody recorded": first + `{"seq":2,"kind":"put","id":"7","before":{"id":7,"a":9},"after":{"id":7,"a":3}}` + "\n",
		"not as it was born":           `{"seq":1,"kind":"put","id":"7","before":{"id":7,"a":9},"after":{"id":7,"a":3}}` + "\n",
		"a number left out":            first + `{"seq":3,"kind":"put","id":"7","before":{"id":7,"a":2},"after":{"id":7,"a":3}}` + "\n",
		"no JSON":                      "x\n",
	} {
		write("effects.jsonl", text)
		if _, err := invariants.ReadLedger(dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A run whose files do not fit one another cannot be checked.
func TestReadRefusesWhatDoesNotFit(t *testing.T) {
	r := sound().run(t)
	journal, err := os.ReadFile(r.Dir.Path("journal"))
	must(t, err)
	rows, err := os.ReadFile(r.Dir.Path(runs.RowsName))
	must(t, err)
	flipped := bytes.Clone(journal)
	flipped[len(flipped)/3] ^= 1
	for name, files := range map[string][2][]byte{
		"damaged":      {flipped, rows},
		"a row less":   {journal, rows[:bytes.LastIndexByte(rows[:len(rows)-1], '\n')+1]},
		"no first one": {nil, rows},
	} {
		must(t, errors.Join(os.WriteFile(r.Dir.Path("journal"), files[0], 0o600), os.WriteFile(r.Dir.Path(runs.RowsName), files[1], 0o600)))
		if _, err := invariants.Read(r.Dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLeaks(t *testing.T) {
	secret := `p "w<&> é/+%=1`
	for name, text := range map[string]string{
		"raw": secret, "percent": url.QueryEscape(secret), "small percent": strings.ToLower(url.QueryEscape("é<")),
		"JSON": `p \"w<&> é/+%=1`, "JSON for HTML": `p \"w\u003c\u0026\u003e é/+%=1`, "HTML": `p &#34;w&lt;&amp;&gt; é/+%=1`,
		"hex": fmt.Sprintf("%x", secret), "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 in a longer text": base64.URLEncoding.EncodeToString([]byte("k:" + secret + " and more")),
	} {
		secrets := []string{"never", secret}
		if name == "small percent" {
			secrets[1] = "é<"
		}
		wants(t, invariants.LeaksIn("log", []byte("x"+text+"y"), secrets), "15: log holds secret 2")
	}
	wants(t, invariants.LeaksIn("log", []byte("p *** w"), []string{secret}))
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("key="+secret), 0o600))
	all, err := invariants.Leaks(dir, []string{secret})
	must(t, err)
	wants(t, all, "15: "+filepath.Join(dir, "a")+" holds secret 1")
}
