package action_test

import (
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

func TestLatchAlwaysCarriesBothIDs(t *testing.T) {
	act := action.NewLatch(action.Services{})
	linked := recordOf(`{"id":7,"status":"Active","hubSpotId":9007199254740993,"hubSpotCompanyId":"202"}`)
	for name, c := range map[string]struct {
		now   batch.Record
		pairs []string
		want  string
		body  string
	}{
		"a blank cell keeps what was read": {linked, []string{"hubSpotCompanyId", "203"}, "", `{"fusebillId":7,"hubSpotId":9007199254740993,"hubSpotCompanyId":203}`},
		"spelled as read":                  {linked, []string{"hubSpotId", "1"}, "", `{"fusebillId":7,"hubSpotId":1,"hubSpotCompanyId":"202"}`},
		"one taken away":                   {linked, []string{"hubSpotId", "null"}, "", `{"fusebillId":7,"hubSpotId":null,"hubSpotCompanyId":"202"}`},
		"equal":                            {linked, []string{"hubSpotId", "9007199254740993", "hubSpotCompanyId", "202"}, "unchanged", ""},
		"nothing named":                    {linked, nil, "unchanged", ""},
		"cancelled":                        {recordOf(`{"id":7,"status":"Cancelled","hubSpotId":1,"hubSpotCompanyId":2}`), []string{"hubSpotId", "3"}, "rejected/bad_status", ""},
		"a link that cannot be read":       {recordOf(`{"id":7,"status":"Active","hubSpotId":1}`), []string{"hubSpotId", "3"}, "rejected/cannot_read_link", ""},
	} {
		step, out := act.Decide(setting(c.pairs...), c.now)
		if outcomeOf(out) != c.want || string(step.Body) != c.body {
			t.Errorf("%s: %q %s", name, outcomeOf(out), step.Body)
		}
	}
}

func TestLatchSeesAnythingElseMove(t *testing.T) {
	act := action.NewLatch(action.Services{})
	now := recordOf(`{"id":7,"status":"Active","hubSpotId":1,"hubSpotCompanyId":2,"firstName":"Ada"}`)
	step, _ := act.Decide(setting("hubSpotId", "3"), now)
	for after, want := range map[string]string{
		`{"id":7,"status":"Active","hubSpotId":3,"hubSpotCompanyId":2,"firstName":"Ada"}`:    "",
		`{"id":7,"status":"Active","hubSpotId":3,"hubSpotCompanyId":null,"firstName":"Ada"}`: "failed/side_effect",
		`{"id":7,"status":"Active","hubSpotId":1,"hubSpotCompanyId":2,"firstName":"Ada"}`:    "failed/not_applied",
		`{"id":7,"status":"Hold","hubSpotId":3,"hubSpotCompanyId":2,"firstName":"Ada"}`:      "failed/side_effect",
	} {
		if got := outcomeOf(act.Check(step, recordOf(after))); got != want {
			t.Errorf("%s: %q", after, got)
		}
	}
}
