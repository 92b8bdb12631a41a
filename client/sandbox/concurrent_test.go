package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"
)

func TestConcurrentUse(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Seed: sampleSeed(t), Minute: 100_000, Faults: faultsOf(t, "any:503:rate=10%", "put:lost:rate=10%:seed=2")})
	var g errgroup.Group
	for worker := range 8 {
		g.Go(func() error {
			id := fmt.Sprint(987001 + worker)
			for n := range 8 {
				put(t, s, edit(t, stored(t, s, id), "suffix", fmt.Sprintf(`"%d"`, n)))
				get(t, s, "/v1/customers/"+id)
				find(t, s, "reference:AC-1001")
				post(t, s, "/v1/CustomerHold/"+id, "")
				post(t, s, "/v1/customers/unHold", `{"customerId":`+id+`,"serviceStartOption":"NoChargesForMissedPeriods"}`)
				latch(t, s, fmt.Sprintf(`{"fusebillId":%s,"hubSpotId":%d}`, id, n+1))
				patch(t, s, fmt.Sprintf("customer_id=%d&city=%d", 4001+worker, n))
				_, _ = s.Affiliate("4001")
				_, _ = s.Effects(), s.Requests()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	last := map[string]string{}
	for i, e := range s.Effects() {
		if e.Seq != int64(i+1) || last[e.ID] != "" && last[e.ID] != string(e.Before) {
			t.Fatalf("effect %d does not follow on the one before", e.Seq)
		}
		last[e.ID] = string(e.After)
	}
	holders := map[string]string{}
	for id, body := range last {
		if number, ok := strings.CutPrefix(id, "tf:"); ok {
			if affiliate(t, s, number) != body {
				t.Errorf("affiliate %s is not as the ledger left it", id)
			}
			continue
		}
		contact := gjson.Get(body, "hubSpotId").Raw
		if other := holders[contact]; other != "" && contact != "null" {
			t.Errorf("contact %s is linked to %s and to %s", contact, other, id)
		}
		holders[contact] = id
		if stored(t, s, id) != body || gjson.Get(body, "id").Raw != id {
			t.Errorf("customer %s is not as the ledger left it", id)
		}
	}
}
