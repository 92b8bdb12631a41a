package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

func TestStateOutlivesTheSandbox(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Options{Dir: dir})
	put(t, first, edit(t, odd, "firstName", `"<Bea> & é"`))
	first.Edit("9", func(b []byte) []byte { return []byte(edit(t, string(b), "lastName", `"Moor"`)) })
	effects, seven, nine := first.Effects(), stored(t, first, "7"), stored(t, first, "9")
	if len(effects) != 2 {
		t.Fatalf("%d effects", len(effects))
	}
	_ = first.Close()

	second := open(t, Options{Dir: dir, Seed: []byte(`[{"id":1}]`), Customers: 3})
	if stored(t, second, "7") != seven || stored(t, second, "9") != nine || len(second.IDs()) != 5 {
		t.Error("the state is not as it was left")
	}
	if d := cmp.Diff(effects, second.Effects()); d != "" {
		t.Errorf("the ledger is not as it was left: %s", d)
	}
	put(t, second, odd)
	if e := second.Effects(); e[2].Seq != 3 || !e[2].At.After(e[1].At) {
		t.Errorf("the ledger does not go on: %s", encode(e[2]))
	}
	_ = second.Close()

	third := open(t, Options{Dir: dir, Reset: true})
	if stored(t, third, "7") != odd || len(third.Effects()) != 0 {
		t.Error("reset has not begun anew")
	}
}

func TestEveryKindOfWriteOutlivesTheSandbox(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Options{Dir: dir})
	latch(t, first, `{"fusebillId":8,"hubSpotId":101,"hubSpotCompanyId":202}`)
	post(t, first, "/v1/CustomerHold/7", "")
	post(t, first, "/v1/CustomerHold/9", "")
	post(t, first, "/v1/customers/unHold", `{"customerId":9,"serviceStartOption":"NoChargesForMissedPeriods"}`)
	post(t, first, "/v1/HubSpot/UnlatchCustomer/7", "")
	patch(t, first, "customer_id=4102&city=Nordhafen")
	patch(t, first, "subscription_id=S-4001&custom1=REMOVE")
	state := func(s *Sandbox) []string {
		return []string{stored(t, s, "7"), stored(t, s, "8"), stored(t, s, "9"), affiliate(t, s, "4102"), affiliate(t, s, "4001"), affiliate(t, s, "4002")}
	}
	was, effects := state(first), first.Effects()
	if len(effects) != 7 || effects[3].Option != "NoChargesForMissedPeriods" {
		t.Fatalf("effects %s", encode(effects))
	}
	_ = first.Close()

	second := open(t, Options{Dir: dir})
	if d := cmp.Diff(was, state(second)) + cmp.Diff(effects, second.Effects()); d != "" {
		t.Errorf("from the ledger: %s", d)
	}
	_ = second.Close()
	_ = open(t, Options{Dir: dir, foldAbove: 1}).Close()

	third := open(t, Options{Dir: dir})
	if d := cmp.Diff(was, state(third)); d != "" || len(third.Effects()) != 0 {
		t.Errorf("from the snapshot: %s", d)
	}
	patch(t, third, "customer_id=4102&city=REMOVE")
	if e := third.Effects(); e[0].Seq != 8 || string(e[0].Before) != was[3] {
		t.Errorf("the ledger does not go on: %s", encode(e))
	}
	_ = third.Close()
	if fourth := open(t, Options{Dir: dir, Reset: true}); gjson.Get(affiliate(t, fourth, "4102"), "city").Str == "Nordhafen" {
		t.Error("reset has not begun anew")
	}
}

// A folder written before there were affiliates.
func TestOlderStateOpens(t *testing.T) {
	dir := t.TempDir()
	for name, lines := range map[string]string{
		snapshotName: `{"format":1,"seq":1,"at":"2026-01-02T03:04:05Z","seeds":2,"customers":2}` + "\n" +
			`{"id":7,"status":"Active"}` + "\n" + `{"id":8,"status":"Active"}` + "\n" + `{"id":7,"status":"Hold"}` + "\n",
		ledgerName: `{"seq":2,"at":"2026-01-02T03:04:06Z","kind":"put","id":"8","before":{"id":8,"status":"Active"},"after":{"id":8,"status":"Draft"}}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Options{Dir: dir})
	if stored(t, s, "7") != `{"id":7,"status":"Hold"}` || stored(t, s, "8") != `{"id":8,"status":"Draft"}` || len(s.Effects()) != 1 {
		t.Errorf("%s %s", stored(t, s, "7"), stored(t, s, "8"))
	}
	if g := patch(t, s, "customer_id=4102&city=X"); g.body != "true" || s.Effects()[1].Seq != 3 {
		t.Errorf("%s, effects %s", g.body, encode(s.Effects()))
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("error %v", err)
	}
	_ = first.Close()
	open(t, Options{Dir: dir})
}

func TestTornLedger(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	put(t, s, edit(t, odd, "firstName", `"Bea"`))
	bea := stored(t, s, "7")
	put(t, s, edit(t, odd, "firstName", `"Cal"`))
	_ = s.Close()
	path := filepath.Join(dir, ledgerName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	firstLine := bytes.IndexByte(whole, '\n') + 1
	for _, cut := range []int{firstLine, firstLine + 1, firstLine + 40, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, Options{Dir: dir})
		if stored(t, s, "7") != bea || len(s.Effects()) != 1 {
			t.Errorf("cut at %d: %d effects, %s", cut, len(s.Effects()), stored(t, s, "7"))
		}
		put(t, s, odd)
		if e := s.Effects(); len(e) != 2 || e[1].Seq != 2 {
			t.Errorf("cut at %d: the ledger does not go on", cut)
		}
		_ = s.Close()
	}
}

func TestDamagedState(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"ledger": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ledgerName), []byte("not JSON\n{}\n"), 0o600)
		},
		"snapshot": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, snapshotName), []byte(`{"format":1,"seeds":2}`+"\n"), 0o600)
		},
		"snapshot's affiliates": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, snapshotName), []byte(`{"format":1,"affiliates":2}`+"\n"), 0o600)
		},
		"later format": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, snapshotName), []byte(`{"format":2}`+"\n"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_ = open(t, Options{Dir: dir}).Close()
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "try: start anew") {
				t.Errorf("error %v", err)
			}
			open(t, Options{Dir: dir, Reset: true})
		})
	}
}

func TestLongLedgerIsFolded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	put(t, s, edit(t, odd, "firstName", `"Bea"`))
	bea := stored(t, s, "7")
	_ = s.Close()
	path := filepath.Join(dir, ledgerName)
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat(line, 50) // one effect again and again: redo passes over the repeats
	if err := os.WriteFile(path, long, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = open(t, Options{Dir: dir, foldAbove: 20 * len(line)}).Close()
	if f, err := os.Stat(path); err != nil || f.Size() != 0 {
		t.Errorf("the ledger has not been folded: %v", err)
	}
	if err := os.WriteFile(path, line, 0o600); err != nil { // as if the truncation had not come about
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	put(t, s, odd)
	if e := s.Effects(); string(e[1].Before) != bea || e[1].Seq != 2 {
		t.Errorf("state after folding: %s", encode(e[1]))
	}
}

func TestBadSeeds(t *testing.T) {
	for seed, want := range map[string]string{
		`{}`:                    "no JSON array",
		`[{"id":0}]`:            "customer 1 of the seed",
		`[{"id":1},{"id":1}]`:   "stands twice",
		`[{"id":1},{"id":"2"}]`: "customer 2 of the seed",
		`[{"id":1,"id":1}]`:     "stands twice",
		`[]`:                    "the seed holds none",
	} {
		if _, err := Open(Options{Seed: []byte(seed), Customers: 3}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", seed, err)
		}
	}
	if s := open(t, Options{Seed: []byte("[]")}); len(s.IDs()) != 0 {
		t.Error("an empty account has customers")
	}
}

func TestAMillionCustomersAreAtHand(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Seed: sampleSeed(t), Customers: 1_000_000})
	last := fmt.Sprint(987300 + 1_000_000 - 300)
	if g := get(t, s, "/v1/customers/"+last); g.status != 200 {
		t.Errorf("the last is not there: %s", g.body)
	}
	if g := get(t, s, "/v1/customers?pageSize=1000&pageNumber=999"); g.header.Get("X-Count") != "1000000" || !strings.Contains(g.body, `"id":`+last) {
		t.Errorf("last page: %v", g.header)
	}
}
