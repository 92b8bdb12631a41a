package action_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rowbatch/batch"
)

// model is an object as text pieces, with which an edit's result is known
// without the code under test.
type model []*piece

type piece struct {
	lead, key, colon, raw, trail string
	inner                        model // in place of raw
}

func (m model) String() string {
	var members []string
	for _, p := range m {
		raw := p.raw
		if p.inner != nil {
			raw = p.inner.String()
		}
		members = append(members, p.lead+`"`+p.key+`"`+p.colon+raw+p.trail)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (m model) at(key string) *piece {
	if i := slices.IndexFunc(m, func(p *piece) bool { return p.key == key }); i >= 0 {
		return m[i]
	}
	return nil
}

// put sets a path's raw value, and reports whether a key had to be added for it.
func (m model) put(path, raw string) (model, bool) {
	key, rest, nested := strings.Cut(path, ".")
	p := m.at(key)
	switch {
	case p == nil && nested:
		return append(m, &piece{key: key, colon: ":", inner: model{{key: rest, colon: ":", raw: raw}}}), true
	case p == nil:
		return append(m, &piece{key: key, colon: ":", raw: raw}), true
	case nested && p.inner == nil:
		p.inner = model{{key: rest, colon: ":", raw: raw}}
		return m, false
	case nested:
		inner, added := p.inner.put(rest, raw)
		p.inner = inner
		return m, added
	}
	p.raw = raw
	return m, false
}

const codeList = "customerReference.salesTrackingCodes"

// putCode sets or removes the entry of a type in the list that holds the entries.
func putCode(entries []string, typ, raw string) []string {
	head, entry := `{"type":"`+typ+`",`, `{"type":"`+typ+`","code":`+raw+`}`
	i := slices.IndexFunc(entries, func(e string) bool { return strings.HasPrefix(e, head) })
	switch {
	case raw == "null":
		return slices.DeleteFunc(slices.Clone(entries), func(e string) bool { return strings.HasPrefix(e, head) })
	case i < 0:
		return append(slices.Clone(entries), entry)
	}
	entries = slices.Clone(entries)
	entries[i] = entry
	return entries
}

func plainFields() []string {
	return []string{"firstName", "middleName", "lastName", "companyName", "suffix", "title", "primaryEmail",
		"secondaryPhone", "reference", "parentId", "quickBooksId"}
}

func nestedFields() []string {
	return []string{"customerReference.reference1", "customerReference.reference3", "customerAcquisition.source", "customerAcquisition.keyword"}
}

// codeTypes are fields, and the type that the account calls each.
func codeTypes() map[string]string {
	return map[string]string{
		"salesTrackingCode.Sales Tracking Code 1": "Sales Tracking Code 1",
		"salesTrackingCode.Sales Tracking Code 2": "Region",
	}
}

func rawValue(t *rapid.T) string {
	if rapid.Bool().Draw(t, "free text") {
		raw, err := json.Marshal(rapid.String().Draw(t, "text")) // with escapes that the code under test does not write
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	return rapid.SampledFrom([]string{`null`, `""`, `"Ada"`, `"caf\u00e9 \/"`, `25.9800`, `9007199254740993123`, `-0.0`, `"a@example.com; b@example.com"`,
		`[1.0, {"a":null}]`, `true`}).Draw(t, "raw")
}

func members(t *rapid.T, keys []string) model {
	m, blanks := model{}, rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	for _, key := range rapid.Permutation(keys).Draw(t, "order") {
		if rapid.IntRange(0, 3).Draw(t, "kept") > 0 {
			m = append(m, &piece{lead: blanks.Draw(t, "lead"), key: key, colon: blanks.Draw(t, "colon") + ":", raw: rawValue(t), trail: blanks.Draw(t, "trail")})
		}
	}
	return m
}

// customer draws a record and its tracking codes.
func customer(t *rapid.T) (model, []string) {
	m := members(t, slices.Concat(plainFields(), []string{"crmRecordId", "tags", "a.b*"}))
	m = append(m, &piece{key: "id", colon: ":", raw: "9007199254740993125"}, &piece{key: "status", colon: ":", raw: `"Hold"`})
	if rapid.Bool().Draw(t, "has acquisition") {
		m = append(m, &piece{key: "customerAcquisition", colon: ": ", inner: members(t, []string{"source", "keyword", "uri"})})
	}
	var entries []string
	for _, typ := range []string{"Region", "Sales Tracking Code 1", "Team"} {
		if rapid.Bool().Draw(t, "has a code") {
			entries = append(entries, `{"type":"`+typ+`", "code":"X","id":`+rapid.SampledFrom([]string{"1.0", "9007199254740993123"}).Draw(t, "code id")+`}`)
		}
	}
	switch {
	case entries != nil || rapid.Bool().Draw(t, "has reference"):
		inner := append(members(t, []string{"reference1", "reference2", "reference3"}), &piece{key: "salesTrackingCodes", colon: ":", raw: "[" + strings.Join(entries, ",") + "]"})
		m = append(m, &piece{key: "customerReference", colon: ":", inner: inner})
	case rapid.Bool().Draw(t, "has null"):
		m = append(m, &piece{key: "customerReference", colon: ":", raw: "null"})
	}
	return m, entries
}

func edits(t *rapid.T) *batch.Item {
	codes := slices.Sorted(maps.Keys(codeTypes()))
	all := rapid.SampledFrom(slices.Concat(plainFields(), nestedFields(), codes))
	want := rapid.OneOf(rapid.Just(batch.Null), rapid.Map(rapid.StringN(1, 20, -1), batch.Text), rapid.Just(batch.Value(`"X"`)))
	it := &batch.Item{ID: "9007199254740993125"}
	for _, field := range rapid.SliceOfNDistinct(all, 1, 5, rapid.ID).Draw(t, "fields") {
		it.Edits = append(it.Edits, batch.Edit{Field: field, Want: want.Draw(t, "want")})
	}
	return it
}

// after is the model's body under the changes; added reports whether a key is new.
func after(m model, entries []string, changes []batch.Change) (body string, added bool) {
	for _, ch := range changes {
		path, raw := ch.Field, string(ch.After)
		if typ, ok := codeTypes()[path]; ok {
			entries = putCode(entries, typ, raw)
			path, raw = codeList, "["+strings.Join(entries, ",")+"]"
		}
		var grown bool
		m, grown = m.put(path, raw)
		added = added || grown
	}
	return m.String(), added
}

func TestAnEditChangesWhatItNames(t *testing.T) {
	act := updating()
	rapid.Check(t, func(t *rapid.T) {
		m, entries := customer(t)
		now := recordOf(m.String())
		it := edits(t)
		step, out := act.Decide(it, now)
		if out != nil {
			if out.Kind != batch.Unchanged && out.Code != "not_clearable" {
				t.Fatalf("%+v", out)
			}
			return
		}
		want, added := after(m, entries, step.Changes)
		if got := string(step.Body); got != want && (!added || compacted(t, got) != compacted(t, want)) {
			t.Fatalf("body %s\nwant %s", got, want)
		}
		applied, err := act.Apply(now, step.Changes)
		if err != nil || !bytes.Equal(applied.Body, step.Body) {
			t.Fatalf("applied: %v, %s", err, applied.Body)
		}
		if out := act.Check(step, applied); out != nil {
			t.Fatalf("check: %+v", out)
		}
		if v := act.Settle(step.Changes, applied); v != batch.TookEffect {
			t.Fatalf("after the write: verdict %d", v)
		}
		if v := act.Settle(step.Changes, now); v != batch.NoEffect {
			t.Fatalf("before the write: verdict %d", v)
		}
		if _, out := act.Decide(it, applied); out == nil || out.Kind != batch.Unchanged {
			t.Fatalf("a second time: %+v", out)
		}
	})
}

// compacted drops white space and nothing else. Where an added key goes is free of it.
func compacted(t *rapid.T, body string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(body)); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return b.String()
}
