package reports

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"rowbatch/batch"
)

// WriteMetrics puts the figures of a run into a file for the textfile collector of
// node_exporter, which finds it whole or as it was. Several jobs may have a file each in
// one folder: action, mode and file tell their figures apart.
func WriteMetrics(path string, s Summary) error {
	all := prometheus.NewRegistry()
	of := prometheus.Labels{"action": s.Action, "mode": s.Mode, "file": strings.ToValidUTF8(s.File, "�")}
	add := func(name, help, by string, figures map[string]float64) error {
		var labels []string
		if by != "" {
			labels = []string{by}
		}
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rowbatch_run_" + name, Help: help, ConstLabels: of}, labels)
		for _, label := range slices.Sorted(maps.Keys(figures)) {
			g.WithLabelValues([]string{label}[:len(labels)]...).Set(figures[label])
		}
		return all.Register(g)
	}
	outcomes, codes := map[string]float64{}, map[string]float64{}
	for _, k := range batch.Kinds() {
		outcomes[string(k)] = float64(s.Outcomes[k]) // 0 too: a figure that comes and goes is hard to watch
	}
	for _, e := range s.Errors {
		codes[e.Code] = float64(e.Count)
	}
	one := func(figure float64) map[string]float64 { return map[string]float64{"": figure} }
	for _, err := range []error{
		add("rows", "Rows of the last run, by outcome.", "outcome", outcomes),
		add("error_rows", "Rows of the last run that have an error code, by code.", "code", codes),
		add("requests", "Requests of the last run to the API.", "kind",
			map[string]float64{"read": float64(s.Requests.Read), "write": float64(s.Requests.Write)}),
		add("duration_seconds", "How long the last run took.", "", one(s.Seconds)),
		add("waited_seconds", "How long the last run waited for limits and for the server.", "", one(s.WaitedSeconds)),
		add("warnings", "Warnings of the last run.", "", one(float64(s.Warnings))),
		add("exit_code", "Exit code of the last run; 0 is well.", "", one(float64(s.ExitCode))),
		add("start_timestamp_seconds", "When the last run began.", "", one(float64(s.Started.UnixMilli())/1000)),
		add("end_timestamp_seconds", "When the last run ended.", "", one(max(0, float64(s.Ended.UnixMilli())/1000))),
	} {
		if err != nil {
			return err
		}
	}
	return prometheus.WriteToTextfile(path, all)
}
