package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"rowbatch/batch"
)

// The figures of a run are read as its collector reads them, with their names, helps and labels.
func TestMetricsAreReadByTheirCollector(t *testing.T) {
	began := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	file := "a \"b\"\\c\nd\xff.csv"
	s := Summary{Origin: Origin{RunID: "x", Action: "update", Mode: "run", File: file, Started: began}, Ended: began.Add(90 * time.Second),
		Rows: 7, Outcomes: map[batch.Kind]int{batch.Changed: 4, batch.Rejected: 3}, Requests: Requests{Read: 7, Write: 4, Total: 11},
		Seconds: 89.5, WaitedSeconds: 12, Errors: []ErrorCount{{Code: "not_found", Count: 2}, {Code: "bad_value", Count: 1}}, Warnings: 5,
		ExitCode: batch.ExitRows}
	path := filepath.Join(t.TempDir(), "rowbatch.prom")
	for range 2 { // the second takes the place of the first
		if err := WriteMetrics(path, s); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := map[string]float64{}
	for name, f := range families {
		if f.GetHelp() == "" || f.GetType().String() != "GAUGE" {
			t.Errorf("%s: help %q, type %s", name, f.GetHelp(), f.GetType())
		}
		for _, m := range f.GetMetric() {
			labels, key := map[string]string{}, name
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["action"] != "update" || labels["mode"] != "run" || labels["file"] != "a \"b\"\\c\nd�.csv" {
				t.Errorf("%s: %q", name, labels)
			}
			for _, by := range []string{"outcome", "code", "kind"} {
				if labels[by] != "" {
					key += "/" + labels[by]
				}
			}
			got[key] = m.GetGauge().GetValue()
		}
	}
	want := map[string]float64{
		"rowbatch_run_rows/changed": 4, "rowbatch_run_rows/rejected": 3, "rowbatch_run_requests/read": 7, "rowbatch_run_requests/write": 4,
		"rowbatch_run_error_rows/not_found": 2, "rowbatch_run_error_rows/bad_value": 1, "rowbatch_run_duration_seconds": 89.5,
		"rowbatch_run_waited_seconds": 12, "rowbatch_run_warnings": 5, "rowbatch_run_exit_code": 3,
		"rowbatch_run_start_timestamp_seconds": float64(began.Unix()), "rowbatch_run_end_timestamp_seconds": float64(began.Unix() + 90),
	}
	for _, k := range batch.Kinds() {
		if _, set := want["rowbatch_run_rows/"+string(k)]; !set {
			want["rowbatch_run_rows/"+string(k)] = 0
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("%q, %v", left, err)
	}
}
