package runs

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"rowbatch/batch/journal"
)

func TestFind(t *testing.T) {
	root := t.TempDir()
	reports := filepath.Join(root, "reports")
	d := addRun(t, reports, journal.Head{Started: start})
	addRun(t, reports, journal.Head{Started: start.Add(time.Hour)})
	slash := string(filepath.Separator)
	for _, name := range []string{
		d.ID(), d.ID() + slash, d.path, d.path + slash,
		filepath.Join("reports", d.ID()), "." + slash + filepath.Join("reports", d.ID()) + slash,
		filepath.Join("..", filepath.Base(root), "reports", d.ID()),
	} {
		t.Chdir(root)
		for _, reports := range []string{"reports", reports} {
			got, err := Find(reports, name, anyRun)
			if err != nil || got.ID() != d.ID() {
				t.Errorf("%s in %s: %v", name, reports, err)
			}
		}
	}
	for dir, name := range map[string]string{reports: d.ID(), d.path: "."} {
		t.Chdir(dir)
		if got, err := Find("elsewhere", name, anyRun); err != nil || got.ID() != d.ID() {
			t.Errorf("%q in %s: %v", name, dir, err)
		}
	}
}

func anyRun(Info) bool { return true }

func TestFindWhatIsNotThere(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	old := addRun(t, "reports", journal.Head{Started: start})
	young := addRun(t, "reports", journal.Head{Started: start.Add(24 * time.Hour)})
	for name, nearest := range map[string]string{
		"":                                  "",
		".":                                 "",
		"..":                                "",
		"reports":                           "",
		"zz":                                "",
		"something else":                    "",
		"customers":                         young.ID(),
		"20261120":                          old.ID(),
		"20261120T215200Z-udpate-customers": old.ID(),
		"20261212T215200Z-update-customers": young.ID(),
		old.ID() + "-2":                     old.ID(),
		filepath.Join("x", old.ID()):        old.ID(),
	} {
		_, err := Find("reports", name, anyRun)
		want := fmt.Sprintf("there is no run %q in reports; ", name)
		if nearest != "" {
			want += "did you mean " + nearest + "? "
		}
		if want += "try: rowbatch runs, or --reports with the folder that holds it"; err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
	_, err := Find("reports", "20261120", anyRun)
	if want := `there is no run "20261120" in reports; did you mean ` + old.ID() + "? try: rowbatch runs, or --reports with the folder that holds it"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	_, err = Find("elsewhere", "x", anyRun)
	if want := `there is no run "x" in elsewhere; try: rowbatch runs, or --reports with the folder that holds it`; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}
