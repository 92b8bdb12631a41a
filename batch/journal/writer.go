package journal

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
)

// File is what the journal needs of a file.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Writer appends a run's records to a file. Its methods may be called from
// several goroutines. After the first error it accepts nothing more.
type Writer struct {
	mu      sync.Mutex
	synced  sync.Cond
	file    File
	buf     []byte // written by no one yet
	spare   []byte // empty: what the last flush has written out
	size    int64  // bytes of all records so far
	durable int64  // bytes known to be on disk
	seq     int64
	syncing bool // one goroutine is writing and syncing for all, or is about to
	err     error

	waiting  int           // intents that no sync has taken up yet
	expected int           // as many as come together, judged by the syncs so far
	enough   chan struct{} // closed when so many are waiting; nil: nobody waits for them
}

// lazily is how many bytes of outcomes may wait for the next intent's sync.
// Losing them costs a read-back each, never a second write.
const lazily = 32 << 10

// gathering is how long an intent waits at most for as many as came together before.
// Meanwhile the other rows on the way keep the connections busy, and each sync that is
// saved is a thread less to be put to sleep and woken.
const gathering = 3 * time.Millisecond

// Create starts a journal on an empty file. The head is on disk when it returns.
func Create(f File, h Head) (*Writer, error) {
	w := &Writer{file: f}
	w.synced.L = &w.mu
	h.Format = Format
	return w, w.durably(Entry{Kind: "run", Row: -1, Run: &h})
}

// Continue appends to the journal that x has read, whose sound part is all that
// is left of it, and on disk.
func Continue(f File, x *Index) *Writer {
	w := &Writer{file: f, size: x.Sound, durable: x.Sound, seq: x.seq}
	w.synced.L = &w.mu
	return w
}

// MoveTo goes on in another file of the same bytes, before anything else is written:
// some systems rename no file that is open, and a journal gets its name when its
// head is on disk.
func (w *Writer) MoveTo(f File) { w.file = f }

// Intent records that a row's write is about to leave, and returns when that is on disk.
func (w *Writer) Intent(row int, found batch.Found, changes []batch.Change) error {
	found.Body = found.Record.Body
	return w.durably(Entry{Kind: "intent", Row: row, At: time.Now().UTC().Truncate(time.Millisecond), Changes: changes, Found: &found})
}

// Names records what the account calls the things that rows name.
func (w *Writer) Names(names json.RawMessage) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(Entry{Kind: "names", Row: -1, Names: names})
	return w.err
}

// Done records a row's outcome. It may reach the disk with the next intent.
func (w *Writer) Done(row int, o batch.Outcome) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(Entry{Kind: "done", Row: row, Outcome: &o})
	if len(w.buf) >= lazily && !w.syncing {
		w.flush(false)
	}
	return w.err
}

// End records how the run ended and closes the file.
func (w *Writer) End(e End) error {
	err := w.durably(Entry{Kind: "end", Row: -1, End: &e})
	if cerr := w.file.Close(); err == nil && cerr != nil {
		err = &WriteError{cerr}
	}
	return err
}

// Flush hands the outcomes so far to the operating system, so that another
// process can read them.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.syncing {
		w.flush(false)
	}
	return w.err
}

// WriteError is the error when the run's own file could not be written. Nothing may
// be sent after it.
type WriteError struct{ Err error }

func (e *WriteError) Error() string {
	why := e.Err.Error()
	if strings.Contains(why, "; try: ") { // the file knows better
		return why
	}
	return "the journal could not be written: " + why + "; try: make room on the disk, then go on with rowbatch resume"
}
func (e *WriteError) Unwrap() error { return e.Err }

func (w *Writer) durably(e Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(e)
	w.waiting++
	if w.enough != nil && w.waiting >= w.expected {
		close(w.enough)
		w.enough = nil
	}
	for mine := w.size; w.err == nil && w.durable < mine; {
		if w.syncing {
			w.synced.Wait() // its sync may cover this record too; if not, the next is ours
			continue
		}
		w.gather()
		together := w.waiting
		w.waiting = 0
		w.flush(true)
		w.expected = max(together+w.waiting, w.expected-1) // who came during the sync could have shared it
	}
	return w.err
}

// gather waits for the intents that are expected to share the next sync, with the lock
// released meanwhile. Who has been alone for a while waits for nobody.
func (w *Writer) gather() {
	if w.waiting >= w.expected {
		return
	}
	enough := make(chan struct{})
	w.enough, w.syncing = enough, true
	w.mu.Unlock()
	select {
	case <-enough:
	case <-time.After(gathering):
	}
	w.mu.Lock()
	w.enough = nil
}

// add appends a record to the buffer; the lock is held.
func (w *Writer) add(e Entry) {
	if w.err != nil {
		return
	}
	w.seq++
	e.Seq, e.Durable = w.seq, w.durable
	lines, err := encode(w.buf, e)
	if err != nil {
		w.err = &WriteError{err}
		return
	}
	w.size += int64(len(lines) - len(w.buf))
	w.buf = lines
}

// flush writes the buffer, and syncs it on demand, with the lock released
// meanwhile: the rows that come in the meantime share the next sync.
func (w *Writer) flush(sync bool) {
	out, upTo := w.buf, w.size
	w.buf, w.syncing = w.spare, true
	w.mu.Unlock()
	_, err := w.file.Write(out)
	if err == nil && sync {
		err = w.file.Sync()
	}
	w.mu.Lock()
	w.spare, w.syncing = out[:0], false
	if err != nil && w.err == nil {
		w.err = &WriteError{err}
	}
	if err == nil && sync {
		w.durable = upTo
	}
	w.synced.Broadcast()
}
