package action_test

import (
	"testing"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/mapping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// updating returns the action, for an account that calls its second code type Region.
func updating() batch.Action {
	codes := action.NewTrackingCodes()
	for _, own := range []string{"Sales Tracking Code 1", "Sales Tracking Code 3"} {
		codes.Known(own, "ANY", own, "ANY")
	}
	codes.Known("Sales Tracking Code 2", "NORTH", "Region", "NORTH")
	codes.Known("Region", "NORTH", "Region", "NORTH")
	return action.NewUpdate(action.Services{Codes: codes})
}

// active returns a record: the members, which begin with a comma, after an id and a status.
func active(members string) batch.Record {
	return recordOf(`{"id":7,"status":"Active"` + members + `}`)
}

func recordOf(body string) batch.Record {
	return batch.Record{ID: gjson.Get(body, "id").String(), Status: gjson.Get(body, "status").String(), Body: []byte(body)}
}

// setting returns a row of pairs of field and raw value.
func setting(pairs ...string) *batch.Item {
	it := &batch.Item{ID: "7", Key: "id=7"}
	for i := 0; i < len(pairs); i += 2 {
		it.Edits = append(it.Edits, batch.Edit{Field: pairs[i], Want: batch.Value(pairs[i+1])})
	}
	return it
}

// decided returns the step of a row that must have one.
func decided(t *testing.T, now batch.Record, pairs ...string) batch.Step {
	t.Helper()
	step, out := updating().Decide(setting(pairs...), now)
	if out != nil {
		t.Fatalf("no step: %+v", out)
	}
	return step
}

// updateItem turns a row of an update into an item.
func updateItem(row mapping.Mapped, c action.Context) *batch.Item {
	spec, _ := action.Find("update")
	return spec.Item(row, c)
}

func withKey(row mapping.Mapped, field string) mapping.Mapped {
	row.KeyField = field
	return row
}
