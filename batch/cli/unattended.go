package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/batch/ui"
	"rowbatch/reports"
)

// notifyTime is how long a command of --notify may take.
const notifyTime = 60 * time.Second

// checkMetrics refuses a file of figures that could not be written later, when nobody looks.
func checkMetrics(path string) error {
	if path == "" {
		return nil
	}
	if at, err := os.Stat(filepath.Dir(path)); err != nil || !at.IsDir() {
		return batch.Usage("--metrics rowbatch.prom", "--metrics %s: there is no folder %s", path, filepath.Dir(path))
	}
	if at, err := os.Stat(path); err == nil && at.IsDir() {
		return batch.Usage("--metrics "+filepath.Join(path, "rowbatch.prom"), "--metrics %s is a folder", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return batch.Usage("another file", "--metrics %s: %v", path, err)
	}
	return nil
}

// tell hands on how a command ended, to the file of --metrics and the command of
// --notify. What is wrong with either is told, and changes nothing else.
func tell(t *ui.Terminal, j job.Job, r *job.Result, err error) {
	o := j.Settings.Output
	var ending bytes.Buffer
	if r != nil && r.Summary.RunID != "" {
		j.Front.Show(r)
		ending.Write(r.Summary.JSON())
		if o.Metrics != "" {
			if err := reports.WriteMetrics(o.Metrics, r.Summary); err != nil {
				j.Front.Show(job.Trouble{Err: fmt.Errorf("--metrics: %w", err)})
			}
		}
	} else {
		ui.PrintRefusal(&ending, err, job.ExitCode(err))
	}
	if o.Notify != "" {
		if err := profile.Notify(o.Notify, ending.Bytes(), os.Environ(), t.Err, notifyTime); err != nil {
			j.Front.Show(job.Trouble{Err: err})
		}
	}
}
