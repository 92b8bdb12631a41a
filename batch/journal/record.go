// Package journal is a run's memory: what it is, each write before it leaves,
// and what became of each row. Everything said about a run is derived from it.
//
// # Intent, send, outcome
//
// An intent is on disk before the first byte of its write leaves; the outcome
// follows, and may ride with the next intent's sync. So whatever the moment at
// which a process dies, the journal names every write that may have had an
// effect: a row with an intent and no outcome is in doubt, and is read back.
//
// # The file
//
// A record is a line: compact JSON, a tab, a CRC-32C in hex, a line feed. It
// carries its number, and how many bytes of the journal were known to be on disk
// when it was written. A bad line that no later record knows to have been on disk
// is a torn end, and cut off: no write has left for what follows it. Any other is
// damage, and nothing of that journal is believed.
//
// A [Writer] appends, an [Index] reads: one pass over the file, which remembers
// where each row's last records stand. The engine knows neither: to it a journal
// is a [batch.Recorder].
package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// Format is the version of the layout that is written: of the journal, and of the
// rows beside it. [Load] reads [OldFormat], too.
const (
	Format    = 2
	OldFormat = 1
)

// Head is the journal's first record: what the run is.
type Head struct {
	Format  int       `json:"format"`
	Program string    `json:"program"` // the version that began the run
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	Mode    string    `json:"mode"`          // see the Mode constants
	Dry     bool      `json:"dry,omitempty"` // an undo that writes nothing
	Parent
	Action       string `json:"action"`                  // as typed: update
	ActionColumn string `json:"action_column,omitempty"` // of a mixed file
	Source
	MappingFile
	Target
	Settings  json.RawMessage `json:"settings,omitempty"`  // as the front keeps them; of OldFormat a map of texts
	Rows      int             `json:"rows"`                // how many there are
	RowsFile  RowsFile        `json:"rows_file,omitzero"`  // where they stand
	Selection [][2]int        `json:"selection,omitempty"` // the parent's rows that are carried out, each pair from … to; none: all
}

// Target is where a run's requests go.
type Target struct {
	Account string   `json:"account"`           // base URL and key fingerprint, or "sandbox"
	Systems []string `json:"systems,omitempty"` // the APIs that its rows are about
	Label
}

// Label is what an account is called by who has set it up.
type Label struct {
	Word   string `json:"word,omitempty"` // such as PRODUCTION
	Colour string `json:"colour,omitempty"`
}

// IsDry reports whether the run shows what another would send, and sends nothing.
func (h Head) IsDry() bool { return h.Mode == ModeDryRun || h.Dry }

// Parent is the run that another one carries out or takes back.
type Parent struct {
	Of     string `json:"of,omitempty"`      // its id
	OfPath string `json:"of_path,omitempty"` // its folder, absolute
	Plan   string `json:"plan,omitempty"`    // of an undo that carries out what a dry run of it has shown: that dry run
}

// Source is the file that the rows came from.
type Source struct {
	File      string `json:"file"`           // as typed; - for standard input
	Path      string `json:"path,omitempty"` // absolute, for a resume from another folder
	Input     string `json:"input"`          // SHA-256 of its bytes
	Delimiter string `json:"delim"`          // for the report

	Places []string `json:"places,omitempty"` // of a sheet's cells, by column, such as Customers!B; none: the file is text
}

// MappingFile says how the rows were understood.
type MappingFile struct {
	Mapping string `json:"mapping,omitempty"`  // its text
	MapFile string `json:"map_file,omitempty"` // as typed
	MapPath string `json:"map_path,omitempty"` // absolute
}

// RowsFile is what the copied rows in the run's folder must still be.
type RowsFile struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// The modes of a run.
const (
	ModeRun    = "run"
	ModeDryRun = "dry-run"
	ModeApply  = "apply"  // carries out the plan that a dry run left
	ModeUndo   = "undo"   // takes back what a run changed
	ModeExport = "export" // wrote customers to a file: Rows of them; no row has an outcome
)

// End is the journal's last record when the process could still write one.
type End struct {
	At        time.Time          `json:"at,omitzero"`
	Reads     int                `json:"reads"` // requests of the whole run, look-ups included
	Writes    int                `json:"writes"`
	Seconds   float64            `json:"seconds"`
	Waited    float64            `json:"waited"` // seconds spent waiting for limits, and for a server that did not answer
	Exit      int                `json:"exit"`
	WaitedFor map[string]float64 `json:"waited_for,omitempty"` // the same by reason: minute_limit, day_limit, server_pause, outage
	Cause     string             `json:"cause,omitempty"`      // why the run stopped before its end
	Respelled bool               `json:"respelled,omitempty"`  // the server may have stored something else than was sent
	Limit     int                `json:"limit,omitempty"`      // requests a minute of the account, as replies told; 0: they did not
	Usable    int                `json:"usable,omitempty"`     // of those, with the reserve left free
	Trial     bool               `json:"trial,omitempty"`      // each server has said that it is the stand-in

	Forecast *Forecast `json:"forecast,omitempty"` // of sending, where it was made
}

// Forecast is what a run said that sending takes, before anything was sent.
type Forecast struct {
	Requests  int       `json:"requests"`
	AtMost    bool      `json:"at_most"` // fewer may do
	Seconds   float64   `json:"seconds"` // until the last one, waits for the account's limits included; at most a year
	Finish    time.Time `json:"finish"`  // if it begins at once
	PerMinute float64   `json:"per_minute,omitempty"`

	EnoughToday bool      `json:"enough_today"`         // it is not held up by the end of a day's allowance
	LeftToday   *int      `json:"left_today,omitempty"` // requests; nil: not known
	Stops       time.Time `json:"stops,omitzero"`       // when that allowance is used up
	Renewed     time.Time `json:"renewed,omitzero"`     // and when the next begins
}

// Entry is one record. Row is -1 where it is about no row.
type Entry struct {
	Seq     int64          `json:"s"`
	Kind    string         `json:"k"` // run, names, intent, done or end
	Durable int64          `json:"d"` // bytes of the journal known to be on disk when this was written
	Row     int            `json:"r"`
	Run     *Head          `json:"run,omitempty"`
	At      time.Time      `json:"at,omitzero"` // of an intent
	Changes []batch.Change `json:"c,omitempty"`
	Found   *batch.Found   `json:"g,omitempty"`
	Outcome *batch.Outcome `json:"o,omitempty"`
	End     *End           `json:"end,omitempty"`

	Names json.RawMessage `json:"names,omitempty"` // what the account calls things, as its look-ups told
}

// FormatError is the error of a journal in a format that this program does not go
// on with.
type FormatError struct {
	Format  int
	Program string // the version that wrote it; "": it does not say
}

func (e *FormatError) Error() string {
	made := fmt.Sprintf("journal format %d", e.Format)
	if e.Program != "" {
		made = e.Program + ", " + made
	}
	if e.Format > Format {
		return fmt.Sprintf("a later version of rowbatch (%s) has made this run; try: that version, or a newer one", made)
	}
	return fmt.Sprintf("an earlier version of rowbatch (%s) has made this run: "+
		"it can be shown, reported on and undone, and no more; try: run the file anew, or go on with that version", made)
}

// encode appends the line of a record.
func encode(lines []byte, e Entry) ([]byte, error) {
	b := bytes.NewBuffer(lines)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false) // each value of the record must come back byte for byte
	var body []byte
	if e.Found != nil && e.Outcome == nil && bytes.IndexByte(e.Found.Body, '\n') < 0 { // valid, and on one line: it need not be read again
		found := *e.Found
		body, found.Body, e.Found = found.Body, nil, &found
	}
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("\n"))
	if body != nil { // the last member of the last
		b.Truncate(b.Len() - len("}}"))
		b.WriteString(`,"body":`)
		b.Write(body)
		b.WriteString("}}")
	}
	sum := checksum(b.Bytes()[len(lines):])
	b.WriteByte('\t')
	b.Write(sum[:])
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// checksum is CRC-32C, which has hardware support on all common processors.
func checksum(line []byte) (digits [8]byte) {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)))
	hex.Encode(digits[:], sum[:])
	return digits
}

// checked returns the record's text of one line, if its checksum holds.
func checked(line []byte) (body []byte, sound bool) {
	body, found := bytes.CutSuffix(line, []byte("\n"))
	tab := bytes.LastIndexByte(body, '\t')
	if !found || tab < 0 {
		return nil, false
	}
	sum := checksum(body[:tab])
	return body[:tab], bytes.Equal(sum[:], body[tab+1:])
}

// decode returns the record of one line, nil when its checksum does not hold.
func decode(line []byte) *Entry {
	body, sound := checked(line)
	var e Entry
	if !sound || json.Unmarshal(body, &e) != nil {
		return nil
	}
	if e.Found != nil {
		e.Found.Record.Body = e.Found.Body
	}
	if e.Run != nil && e.Run.Format == OldFormat {
		e.Run.Settings = []byte(gjson.GetBytes(body, "run.options").Raw)
	}
	return &e
}

// skim is decode for whoever wants to know where the records stand: those of rows
// lack what was found, changed and answered. Of an outcome there are its kind, its
// time and what became of its writes. A line whose checksum holds is as it was written,
// and its JSON is not proved again.
func skim(line []byte) *Entry {
	body, sound := checked(line)
	if !sound {
		return nil
	}
	f := gjson.GetManyBytes(body, "s", "k", "d", "r") // which every record begins with
	e := Entry{Seq: f[0].Int(), Kind: f[1].Str, Durable: f[2].Int(), Row: int(f[3].Int())}
	switch e.Kind {
	case "intent":
	case "done":
		o := gjson.GetBytes(body, "o")
		if !o.IsObject() {
			return decode(line)
		}
		e.Outcome = &batch.Outcome{Kind: batch.Kind(o.Get("k").Str), At: o.Get("t").Time(),
			Efforts: batch.Efforts{Lost: o.Get("lost").Bool(), Futile: o.Get("fut").Bool()}}
	default:
		return decode(line)
	}
	return &e
}
