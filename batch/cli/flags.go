package cli

import (
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rowbatch/batch/action"
	"rowbatch/mapping/csvfile"
)

// actionFlags are what a user sets of a run.
type actionFlags struct {
	runFlags
	mapFile         string
	match           []string
	ignore          []string
	dryRun          bool
	sandbox         bool
	lookup          string
	when            string
	limit           int
	shardText       string
	strict          bool
	allowDuplicates bool
	holdSuspended   bool
	skipPing        bool
	delimiter       string
	encoding        string
	noBase          bool
	base            string

	// parsed from the texts above
	separator rune
	shard     shard
	matches   map[string]string
}

func (f *actionFlags) register(cmd *cobra.Command, j job) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&f.mapFile, "map", "", "mapping `FILE` (default: headings are field names; see rowbatch help mapping)")
	s.StringArrayVar(&f.match, "match", nil, "guard `COL=field`: the live record must have the cell's value in that field (repeatable)")
	s.StringArrayVar(&f.ignore, "ignore", nil, "leave the column `COL` out (repeatable)")
	s.BoolVar(&f.dryRun, "dry-run", false, "read the live records, show what would change and how long sending takes, write nothing")
	s.BoolVar(&f.sandbox, "sandbox", false, "use the embedded stand-in; its state outlives the command")
	if j.reaches(action.SystemFusebill) {
		s.StringVar(&f.lookup, "lookup", lookupAuto, "`HOW` current records are found: auto, list (page through the customer list) or each (one request a row)")
	}
	s.StringVar(&f.when, "when", "", "only rows whose live record satisfies `EXPR`; the others are skipped")
	s.IntVar(&f.limit, "limit", 0, "only the first `N` data rows (default: all)")
	s.StringVar(&f.shardText, "shard", "", "only the rows that belong to shard `I/N`, I from 1 to N; the others are skipped (see rowbatch help shards)")
	s.BoolVar(&f.strict, "strict", false, "refuse the whole file when a check rejects any row")
	s.BoolVar(&f.allowDuplicates, "allow-duplicates", false, "a customer may stand in several rows of one action; they run in file order")
	if j.comparesExports() {
		s.BoolVar(&f.noBase, "no-base", false, "write every cell that differs from the live record, even in an exported file")
		s.StringVar(&f.base, "base", "", "an exported `FILE` as it was: what rows are compared with, in place of their rb_export")
	}
	if j.suspends() {
		s.BoolVar(&f.holdSuspended, "hold-suspended", false, "a Suspended customer may be held")
	}
	if j.reaches(action.SystemTrackfinity) {
		s.BoolVar(&f.skipPing, "skip-ping", false, "do not ping Trackfinity before the first patch")
	}
	s.StringVar(&f.delimiter, "delimiter", "", "`CHAR` between cells: , ; tab or | (default: detected)")
	s.StringVar(&f.encoding, "encoding", "", "`NAME` of the file's encoding, such as windows-1252 (default: detected)")
	f.runFlags.register(cmd, j)
}

// parse checks the flags that cobra takes as mere text.
func (f *actionFlags) parse(cmd *cobra.Command, j job) error {
	if err := f.runFlags.parse(cmd, j); err != nil {
		return err
	}
	for _, check := range []func() error{func() error { return f.parseWhen(j) }, f.parseLookup, func() error { return f.parseShard(cmd.Flags().Changed("shard")) }, f.parseDelimiter, f.parseEncoding, f.parseMatch} {
		if err := check(); err != nil {
			return err
		}
	}
	if f.noBase && f.base != "" {
		return usage("", "--no-base and --base exclude each other")
	}
	if cmd.Flags().Changed("limit") && f.limit < 1 {
		return usage("--limit 10", "--limit must be at least 1")
	}
	return nil
}

func (f *actionFlags) parseDelimiter() error {
	switch f.delimiter {
	case "":
		return nil
	case "tab", `\t`:
		f.separator = '\t'
		return nil
	}
	r, size := utf8.DecodeRuneInString(f.delimiter)
	if size != len(f.delimiter) || strings.ContainsRune("\"\r\n\uFFFD", r) {
		return usage(`--delimiter ";"`, "--delimiter %q is not one character", f.delimiter)
	}
	f.separator = r
	return nil
}

func (f *actionFlags) parseEncoding() error {
	if f.encoding == "" {
		return nil
	}
	if err := csvfile.CheckEncoding(f.encoding); err != nil {
		return &fault{code: exitUsage, text: err.Error()}
	}
	return nil
}

func (f *actionFlags) parseMatch() error {
	f.matches = map[string]string{}
	for _, m := range f.match {
		at := strings.LastIndex(m, "=") // a heading may hold one, a field's name does not
		if at < 1 || at == len(m)-1 {
			return usage("--match Company=companyName", "--match %q is not of the form COL=field", m)
		}
		if _, twice := f.matches[m[:at]]; twice {
			return usage("a column of its own for each guard", "--match names the column %q twice", m[:at])
		}
		f.matches[m[:at]] = m[at+1:]
	}
	return nil
}
