package cli

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/time/rate"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// mostShards is far beyond what one account's allowance is of use to.
const mostShards = 1000

// shard is the part of a file that a run sends; the zero shard is all of it.
type shard struct{ runs.Shard }

// some says that the run is one of several that share the file.
func (s shard) some() bool { return s.Of > 0 }

// parseShard reads I/N. Shards count from 1: a job index that counts from 0 would
// leave out the last shard and have another sent by nobody, hence no second reading of 0.
func parseShard(text string) (shard, error) {
	number, of, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(number)
	n, failed := strconv.Atoi(of)
	switch {
	case err != nil || failed != nil:
		return shard{}, usage("--shard 1/4", "--shard %q is not of the form I/N", text)
	case n < 1 || n > mostShards:
		return shard{}, usage("--shard 1/4", "--shard %s: a file has between 1 and %d shards", text, mostShards)
	case i == 0:
		return shard{}, usage(fmt.Sprintf("--shard 1/%d to %d/%d; to an index that counts from 0, add 1", n, n, n), "--shard %s: shards are counted from 1", text)
	case i < 1 || i > n:
		return shard{}, usage(fmt.Sprintf("--shard 1/%d to %d/%d", n, n, n), "--shard %s: there is no shard %d of %d", text, i, n)
	}
	return shard{runs.Shard{Number: i, Of: n}}, nil
}

// parseShard takes the shard from the flag. One that is set to nothing, by a
// variable that is missing, must not make every process send the whole file.
func (f *actionFlags) parseShard(set bool) (err error) {
	if set {
		f.shard, err = parseShard(f.shardText)
		f.sharePace()
	}
	return err
}

// sharePace divides among the shards what nobody has asked for: together they have
// no more requests in flight than one run, of which the headers tell the others
// only once they are answered; and Trackfinity, which tells nothing, meets no more.
func (f *actionFlags) sharePace() {
	if !f.shard.some() {
		return
	}
	if !f.workersSet {
		f.workers = (f.workers + f.shard.Of - 1) / f.shard.Of
	}
	if f.rates[action.SystemTrackfinity] == 0 {
		f.rates[action.SystemTrackfinity] = client.TrackfinityRate / rate.Limit(f.shard.Of)
	}
}

// home is the shard that a row belongs to: the first 8 bytes of the SHA-256 of
// system/field=key, such as fusebill/id=987001, as a number, big end first, modulo
// the number of shards, and 1 added. A row that names no customer goes by its line.
// This is for ever: a run that stopped must find its rows again, in whatever
// version of the program.
func (s shard) home(who mapping.Subject) int {
	text := "line=" + strconv.Itoa(who.Line)
	if who.Field != "" {
		text = who.System + "/" + who.Field + "=" + who.Key
	}
	sum := sha256.Sum256([]byte(text))
	return int(binary.BigEndian.Uint64(sum[:8])%uint64(s.Of)) + 1
}

// homes notes the shard of each row as it is checked; nil where there are no shards.
func (in *intake) homes(s shard) func(mapping.Subject) {
	if !s.some() {
		return nil
	}
	return func(who mapping.Subject) { in.shards = append(in.shards, uint16(s.home(who))) }
}

// elsewhere is the shard that sends a row in place of this run; 0 when none does.
func (r *rows) elsewhere(n int) int {
	if !r.shard.some() || int(r.in.shards[n]) == r.shard.Number {
		return 0
	}
	return int(r.in.shards[n])
}

// countHere is how many rows of the file are in this run's shard.
func (r *rows) countHere() (n int) {
	for i := range r.in.checked.Rows {
		if r.elsewhere(i) == 0 {
			n++
		}
	}
	return n
}

// leftOut is the outcome of a row that this run was told not to send; nil when it was not.
func (r *rows) leftOut(n int) *batch.Outcome {
	switch home := r.elsewhere(n); {
	case r.limit > 0 && n >= r.limit:
		return &batch.Outcome{Kind: batch.Skipped, Error: "beyond --limit " + strconv.Itoa(r.limit)}
	case home != 0:
		return &batch.Outcome{Kind: batch.Skipped, Error: fmt.Sprintf("in shard %d of %d: --shard %d/%d sends it", home, r.shard.Of, home, r.shard.Of)}
	}
	return nil
}

// mayShard refuses to share a file whose rows cannot be told apart by their keys:
// two processes might write to one customer at a time, or be blind for what
// the other does.
func (in *intake) mayShard(j job, file string) error {
	fields := map[string]string{} // by system
	for _, s := range j.specs {
		for _, field := range in.checked.KeyFields(s.Schema.Action) {
			if other, seen := fields[s.Schema.System]; seen && other != field {
				return &csvfile.Refusal{File: file, Text: fmt.Sprintf("some rows name their customer by %s and some by %s, and one customer's might be in two shards", other, field),
					Try: "a file for each of them, or no --shard"}
			}
			fields[s.Schema.System] = field
		}
		if fields[s.Schema.System] == "reference" && slices.Contains(in.mapper.Fields(s.Schema.Action), "parentId") {
			return &csvfile.Refusal{File: file, Text: "parentId is set by reference: a customer that becomes its own parent through a row of another shard would not be noticed",
				Try: "name the customers by id, or no --shard"}
		}
	}
	return nil
}

// split tells the shards of one file from those of any other, and of the same
// file when it is read in another way.
func (in *intake) split(f *actionFlags, j job) string {
	sum := sha256.New()
	for _, part := range []string{in.sum, in.mapText, j.name, string(in.dialect.Delimiter), f.encoding, strings.Join(f.ignore, "\n"), strconv.Itoa(f.shard.Of)} {
		fmt.Fprintf(sum, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// adoptShard takes from a journal which part of its file a run was.
func (f *actionFlags) adoptShard(options map[string]string) (err error) {
	text := options["shard"]
	if text == "" {
		f.shard = shard{}
		return nil
	}
	if f.shard, err = parseShard(text); err != nil {
		return fmt.Errorf("the journal's shard %q cannot be read", text)
	}
	f.shard.Split = options["split"]
	return nil
}

// shardOptions are what a run keeps of its shard, and a run of that run too.
func (f *actionFlags) shardOptions(o map[string]string) {
	if f.shard.some() {
		o["shard"], o["split"] = f.shard.String(), f.shard.Split
	}
}
