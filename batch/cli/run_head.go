package cli

import (
	"encoding/json"
	"strconv"
	"strings"

	"rowbatch/batch/journal"
)

func (r *run) newHead() journal.Head {
	mode := journal.ModeRun
	if r.flags.dryRun {
		mode = journal.ModeDryRun
	}
	return journal.Head{
		ID: r.dir.ID(), Mode: mode, Action: r.job.name, ActionColumn: r.in.mapper.ActionColumn(),
		Source:      journal.Source{File: r.file, Path: r.in.path, Input: r.in.sum, Delimiter: string(r.in.dialect.Delimiter)},
		MappingFile: journal.MappingFile{Mapping: r.in.mapText, MapFile: r.flags.mapFile, MapPath: r.in.mapPath},
		Account:     r.services.account(), Systems: r.services.systems(), Settings: settings(r.options()), Rows: r.in.checked.Rows, Started: r.began.UTC(), Program: Version,
	}
}

// settings keeps options in a journal's head.
func settings(options map[string]string) json.RawMessage {
	text, err := json.Marshal(options)
	if err != nil {
		panic(err) // texts always encode
	}
	return text
}

// optionsOf are the options that a journal's head keeps.
func optionsOf(h journal.Head) (options map[string]string) {
	_ = json.Unmarshal(h.Settings, &options) // its record's checksum holds: only this program wrote them
	return options
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
