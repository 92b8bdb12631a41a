package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// sameFiles wants the input and the mapping file to be as they were when the run
// began. A file that is gone is no difference: the run has a copy of its own.
func sameFiles(h journal.Head) error {
	sum, err := sumOf(h.Path)
	if err != nil {
		return err
	}
	if sum != "" && sum != h.Input {
		return unfit("run the file anew, or put the old one back", "%s has changed since %s; nothing was sent", h.Path, h.ID)
	}
	if h.MapPath == "" {
		return nil
	}
	text, err := os.ReadFile(h.MapPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(h.MapPath, err)
	}
	if string(text) != h.Mapping {
		return unfit("run the file anew, or put the old mapping file back", "the mapping file %s has changed since %s; nothing was sent", h.MapPath, h.ID)
	}
	return nil
}

// sumOf hashes a file; "" for one that is gone, or never was.
func sumOf(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", unreadable(path, err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", unreadable(path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// reopen understands the copied rows of a run as the run itself did.
func (r *run) reopen(dir *runs.Dir, h journal.Head) (*intake, error) {
	in := &intake{path: h.Path, sum: h.Input, mapText: h.Mapping, secrets: map[int][]string{}}
	rows, err := dir.ReadRows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var file *mapping.File
	if h.Mapping != "" {
		if file, err = mapping.ParseFile(h.MapFile, []byte(h.Mapping)); err != nil {
			return nil, err
		}
	}
	in.mapper, err = r.job.compile(rows.Heading(), mapping.CompileOptions{Name: h.File, File: file, Match: r.flags.matches, Ignore: r.flags.ignore, Export: r.flags.base != ""})
	if err != nil {
		return nil, err
	}
	options := mapping.CheckOptions{AllowDuplicates: r.flags.allowDuplicates, About: in.homes(r.flags.shard)}
	if in.mapper.HasSecrets() {
		return in, r.recheckInput(in, h, options)
	}
	in.checked, err = mapping.Recheck(copied{rows}, in.mapper, options)
	return in, err
}

// copied gives the copied rows of a run as an input would.
type copied struct{ *runs.RowsReader }

func (c copied) Next() (csvfile.Row, *mapping.Base, error) {
	row, err := c.RowsReader.Next()
	return csvfile.Row{Line: row.Line, Cells: row.Cells, Ragged: row.Ragged}, baseOf(row), err
}

// recheckInput reads the input itself again: only there do the passwords stand.
func (r *run) recheckInput(in *intake, h journal.Head, o mapping.CheckOptions) error {
	sum, err := sumOf(h.Path)
	if err != nil {
		return err
	}
	if sum != h.Input {
		return unfit("put the file back, or run it anew", "the passwords stand in %s alone, and it is gone or has changed; nothing was sent", h.Path)
	}
	f, err := os.Open(h.Path)
	if err != nil {
		return unreadable(h.Path, err)
	}
	defer f.Close()
	var delimiter rune
	for _, c := range h.Delimiter {
		delimiter = c
	}
	input, err := csvfile.NewReader(f, h.File, csvfile.Options{Delimiter: delimiter, Encoding: r.flags.encoding})
	if err != nil {
		return err
	}
	in.checked, err = mapping.Check(input, in.mapper, &keeper{secrets: in.secrets}, o)
	return err
}

// keeper keeps the secrets of the rows that pass by.
type keeper struct {
	n       int
	secrets map[int][]string
}

func (k *keeper) Append(_ csvfile.Row, _ *mapping.Base, hidden []string) error {
	if hidden != nil {
		k.secrets[k.n] = hidden
	}
	k.n++
	return nil
}

// secretsOf finds what a plan does not hold: by row and field, in the input itself.
func (r *run) secretsOf(plan *earlier) (map[int]map[string]string, error) {
	in, err := r.reopen(plan.dir, plan.journal.Head)
	if err != nil || len(in.secrets) == 0 {
		return nil, err
	}
	rows, err := plan.dir.ReadRows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[int]map[string]string{}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if hidden := in.secrets[row.N]; hidden != nil && !row.Ragged {
			all[row.N] = secretCells(in.mapper.Row(in.mapper.Unmask(row.Cells, hidden)))
		}
	}
}

func secretCells(row mapping.Mapped) map[string]string {
	cells := map[string]string{}
	for _, c := range row.Cells {
		if c.Field.Secret {
			cells[c.Name] = c.Text
		}
	}
	return cells
}
