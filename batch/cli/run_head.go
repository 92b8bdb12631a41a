package cli

import (
	"strconv"
	"strings"

	"rowbatch/batch"
)

func (r *run) newHead() batch.Head {
	mode := batch.ModeRun
	if r.flags.dryRun {
		mode = batch.ModeDryRun
	}
	return batch.Head{
		ID: r.dir.ID(), Mode: mode, Action: r.job.name, ActionColumn: r.in.mapper.ActionColumn(), File: r.file, Path: r.in.path, Input: r.in.sum,
		Delimiter: string(r.in.dialect.Delimiter), Mapping: r.in.mapText, MapFile: r.flags.mapFile, MapPath: r.in.mapPath,
		Account: r.services.account(), Systems: r.services.systems(), Options: r.options(), Rows: r.in.checked.Rows, Started: r.began.UTC(), Program: Version,
	}
}

// options are the flags that decide what the run is; a resumed run takes them from the journal.
func (r *run) options() map[string]string {
	o := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			o[name] = value
		}
	}
	truth := func(name string, is bool) {
		if is {
			o[name] = "true"
		}
	}
	set("match", strings.Join(r.flags.match, "\n"))
	set("ignore", strings.Join(r.flags.ignore, "\n"))
	set("encoding", r.flags.encoding)
	set("when", r.flags.when)
	set("lookup", r.flags.lookup)
	set("base", r.flags.base)
	truth("no-base", r.flags.noBase)
	if r.flags.limit > 0 {
		set("limit", strconv.Itoa(r.flags.limit))
	}
	r.flags.shardOptions(o)
	if r.flags.expect >= 0 {
		set("expect", strconv.Itoa(r.flags.expect))
	}
	truth("allow-duplicates", r.flags.allowDuplicates)
	truth("hold-suspended", r.flags.holdSuspended)
	truth("skip-ping", r.flags.skipPing)
	return o
}
