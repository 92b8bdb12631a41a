package intake

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// A run that was begun by one version is resumed by another: these never change.
// printf fusebill/id=987001 | sha256sum shows where they come from.
func TestHomesOfRowsAreForEver(t *testing.T) {
	for _, c := range []struct {
		system, field, key string
		line               int
		want               string // of 2, 3, 4, 7 and 1000 shards, each followed by a space
	}{
		{"fusebill", "id", "987001", 2, "1 3 3 6 127 "},
		{"fusebill", "id", "9007199254740993", 900, "1 1 3 4 419 "},
		{"fusebill", "reference", "AC-1001", 2, "2 3 2 3 186 "},
		{"fusebill", "reference", "ac-1001", 2, "2 2 4 6 504 "},
		{"fusebill", "reference", "Größe 7", 2, "1 2 3 4 711 "},
		{"trackfinity", "customer_id", "4001", 2, "1 2 3 4 359 "},
		{"trackfinity", "subscription_id", "S-4001", 2, "2 1 4 2 996 "},
		{"", "", "", 2, "2 2 4 6 532 "},
		{"", "", "", 17, "1 1 1 7 477 "},
	} {
		got := ""
		for _, of := range []int{2, 3, 4, 7, 1000} {
			got += fmt.Sprint(Shard{runs.Shard{Number: 1, Of: of}}.home(mapping.Subject{Line: c.line, System: c.system, Field: c.field, Key: c.key}), " ")
		}
		if got != c.want {
			t.Errorf("%s/%s=%s, line %d: %q, want %q", c.system, c.field, c.key, c.line, got, c.want)
		}
	}
}

func TestShardsAreOfLikeSize(t *testing.T) {
	const rows = 10_000
	for _, of := range []int{2, 4, 7, 16} {
		s, count := Shard{runs.Shard{Number: 1, Of: of}}, map[int]int{}
		for n := range rows {
			count[s.home(mapping.Subject{System: "fusebill", Field: "id", Key: fmt.Sprint(20_000 + 10*n)})]++
		}
		mean := float64(rows) / float64(of)
		for i := 1; i <= of; i++ {
			if off := math.Abs(float64(count[i]) - mean); off > 5*math.Sqrt(mean) {
				t.Errorf("shard %d of %d has %d of %d rows", i, of, count[i], rows)
			}
		}
	}
}

func TestShardsAreCountedFromOne(t *testing.T) {
	for _, text := range []string{"0/4", "00/4", "-1/4", "5/4", "1/0", "1/-1", "1/1001", "1", "/4", "1/", "1/4/2", "a/b", "1.0/4", " 1/4", ""} {
		err := new(Shard).UnmarshalText([]byte(text))
		var f *batch.Fault
		if !errors.As(err, &f) || f.Code != batch.ExitUsage || f.Try == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"1/1": "1/1", "4/4": "4/4", "0999/1000": "999/1000"} {
		var s Shard
		if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != want {
			t.Errorf("%q: %s, %v", text, s, err)
		}
	}
}
