package batch

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"io"
	"sync"
	"time"
)

// Format is the version of the journal's layout.
const Format = 1

// Head is the journal's first record: what the run is.
type Head struct {
	Format       int               `json:"format"`
	ID           string            `json:"id"`
	Mode         string            `json:"mode"`                    // see the Mode constants
	Dry          bool              `json:"dry,omitempty"`           // an undo that writes nothing
	Of           string            `json:"of,omitempty"`            // the run that this one carries out or takes back
	Plan         string            `json:"plan,omitempty"`          // of an undo that carries out what a dry run of it has shown: that dry run
	OfPath       string            `json:"of_path,omitempty"`       // absolute, of that run's folder
	Action       string            `json:"action"`                  // as typed: update
	ActionColumn string            `json:"action_column,omitempty"` // of a mixed file
	File         string            `json:"file"`                    // as typed; - for standard input
	Path         string            `json:"path,omitempty"`          // absolute, for a resume from another folder
	Input        string            `json:"input"`                   // SHA-256 of the input's bytes
	Delimiter    string            `json:"delim"`                   // of the input, for the report
	Mapping      string            `json:"mapping,omitempty"`       // the mapping file's text
	MapFile      string            `json:"map_file,omitempty"`      // as typed
	MapPath      string            `json:"map_path,omitempty"`      // absolute
	Account      string            `json:"account"`                 // base URL and key fingerprint, or "sandbox"
	Systems      []string          `json:"systems,omitempty"`       // the APIs that its rows are about
	Options      map[string]string `json:"options,omitempty"`
	Rows         int               `json:"rows"`
	Started      time.Time         `json:"started"`
	Program      string            `json:"program"`
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
	Reads     int                `json:"reads"` // requests of the whole run, look-ups included
	Writes    int                `json:"writes"`
	Seconds   float64            `json:"seconds"`
	Waited    float64            `json:"waited"` // seconds spent waiting for limits, and for a server that did not answer
	Exit      int                `json:"exit"`
	WaitedFor map[string]float64 `json:"waited_for,omitempty"` // the same by reason: minute_limit, day_limit, server_pause, outage
	Cause     string             `json:"cause,omitempty"`      // why the run stopped before its end

	Forecast *Forecast `json:"forecast,omitempty"` // of sending, where it was made
}

// Entry is one line of the journal. Row is -1 where it is about no row.
type Entry struct {
	Seq     int64     `json:"s"`
	Kind    string    `json:"k"` // run, names, intent, done or end
	Durable int64     `json:"d"` // bytes of the journal known to be on disk when this was written
	Row     int       `json:"r"`
	Run     *Head     `json:"run,omitempty"`
	At      time.Time `json:"at,omitzero"` // of an intent
	Changes []Change  `json:"c,omitempty"`
	Found   *Found    `json:"g,omitempty"`
	Outcome *Outcome  `json:"o,omitempty"`
	End     *End      `json:"end,omitempty"`

	Names json.RawMessage `json:"names,omitempty"` // what the account calls things, as its look-ups told
}

// File is what the journal needs of a file.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Journal appends a run's records to a file. Its methods may be called from
// several goroutines. After the first error it accepts nothing more.
type Journal struct {
	mu      sync.Mutex
	synced  sync.Cond
	file    File
	buf     []byte // written by no one yet
	size    int64  // bytes of all records so far
	durable int64  // bytes known to be on disk
	seq     int64
	syncing bool // one goroutine is writing and syncing for all
	crowded bool // others came to wait for the last sync while it went on
	err     error
}

// lazily is how many bytes of outcomes may wait for the next intent's sync.
// Losing them costs a read-back each, never a second write.
const lazily = 32 << 10

// gathering is how long an intent waits for others at most. Meanwhile the other
// rows on the way keep the connections busy.
const gathering = time.Millisecond

// NewJournal starts a journal on an empty file. The head is on disk when it returns.
func NewJournal(f File, h Head) (*Journal, error) {
	j := &Journal{file: f}
	j.synced.L = &j.mu
	h.Format = Format
	return j, j.durably(Entry{Kind: "run", Row: -1, Run: &h})
}

// ContinueJournal appends to a journal whose sound part is size bytes long, all
// of it on disk, and whose last record has this sequence number.
func ContinueJournal(f File, size, seq int64) *Journal {
	j := &Journal{file: f, size: size, durable: size, seq: seq}
	j.synced.L = &j.mu
	return j
}

// Intent records that a row's write is about to leave, and returns when that is on disk.
func (j *Journal) Intent(row int, found Found, changes []Change) error {
	found.Body = found.Record.Body
	return j.durably(Entry{Kind: "intent", Row: row, At: time.Now().UTC().Truncate(time.Millisecond), Changes: changes, Found: &found})
}

// Names records what the account calls the things that rows name.
func (j *Journal) Names(names json.RawMessage) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(Entry{Kind: "names", Row: -1, Names: names})
	return j.err
}

// Done records a row's outcome. It may reach the disk with the next intent.
func (j *Journal) Done(row int, o Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(Entry{Kind: "done", Row: row, Outcome: &o})
	if len(j.buf) >= lazily && !j.syncing {
		j.flush(false)
	}
	return j.err
}

// End records how the run ended and closes the file.
func (j *Journal) End(e End) error {
	err := j.durably(Entry{Kind: "end", Row: -1, End: &e})
	if cerr := j.file.Close(); err == nil && cerr != nil {
		err = &JournalError{cerr}
	}
	return err
}

// Flush hands the outcomes so far to the operating system, so that another
// process can read them.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.syncing {
		j.flush(false)
	}
	return j.err
}

// JournalError says that the run's own file could not be written. Nothing may
// be sent after it.
type JournalError struct{ Err error }

func (e *JournalError) Error() string {
	return "the journal could not be written: " + e.Err.Error() + "; try: make room on the disk, then go on with rowbatch resume"
}
func (e *JournalError) Unwrap() error { return e.Err }

func (j *Journal) durably(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(e)
	for mine := j.size; j.err == nil && j.durable < mine; {
		if j.syncing {
			j.crowded = true
			j.synced.Wait() // its sync may cover this record too; if not, the next is ours
			continue
		}
		j.gather()
		j.flush(true)
	}
	return j.err
}

// gather waits a moment for more to share the next sync, where many are at it.
// Who is alone waits for nobody.
func (j *Journal) gather() {
	if !j.crowded {
		return
	}
	j.crowded, j.syncing = false, true
	j.mu.Unlock()
	time.Sleep(gathering)
	j.mu.Lock()
}

// add appends a record to the buffer; the lock is held.
func (j *Journal) add(e Entry) {
	if j.err != nil {
		return
	}
	j.seq++
	e.Seq, e.Durable = j.seq, j.durable
	line, err := encode(e)
	if err != nil {
		j.err = &JournalError{err}
		return
	}
	j.buf = append(j.buf, line...)
	j.size += int64(len(line))
}

// flush writes the buffer, and syncs it on demand, with the lock released
// meanwhile: the rows that come in the meantime share the next sync.
func (j *Journal) flush(sync bool) {
	out, upTo := j.buf, j.size
	j.buf, j.syncing = nil, true
	j.mu.Unlock()
	_, err := j.file.Write(out)
	if err == nil && sync {
		err = j.file.Sync()
	}
	j.mu.Lock()
	j.syncing = false
	if err != nil && j.err == nil {
		j.err = &JournalError{err}
	}
	if err == nil && sync {
		j.durable = upTo
	}
	j.synced.Broadcast()
}

// castagnoli has hardware support on all common processors.
func checksum(line []byte) (digits [8]byte) {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)))
	hex.Encode(digits[:], sum[:])
	return digits
}

func encode(e Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // each value of the record must come back byte for byte
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - 1)
	sum := checksum(b.Bytes())
	b.WriteByte('\t')
	b.Write(sum[:])
	b.WriteByte('\n')
	return b.Bytes(), nil
}
