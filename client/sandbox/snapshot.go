package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/tidwall/gjson"
)

// A snapshot is JSON lines: the heading, the seed's customers, the edited
// affiliates (none in a snapshot that is older than they), the edited customers.
type heading struct {
	Format     int       `json:"format"`
	Seq        int64     `json:"seq"` // of the last effect it holds
	At         time.Time `json:"at"`
	Seeds      int       `json:"seeds"`
	Customers  int       `json:"customers"`
	Affiliates int       `json:"affiliates,omitempty"` // edited ones
}

func writeSnapshot(path string, st *store) error {
	var b bytes.Buffer
	line := func(raw []byte) { b.Write(raw); b.WriteByte('\n') }
	line(encode(heading{1, st.seq, st.clock, len(st.herd.seeds), st.herd.count, len(st.affiliates.edited)}))
	for _, s := range st.herd.seeds {
		line(s.own)
	}
	for _, b := range []*book{st.affiliates, st.customers} {
		for _, body := range b.edited {
			line(body)
		}
	}
	return maybe.WriteFile(path, b.Bytes(), 0o600)
}

func readSnapshot(path string) (*store, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := loadSnapshot(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; try: start anew with --reset", path, err)
	}
	return st, nil
}

func loadSnapshot(r *bufio.Reader) (*store, error) {
	var head heading
	first, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(first, &head); err != nil {
		return nil, err
	}
	if head.Format != 1 {
		return nil, fmt.Errorf("format %d is not known to this version", head.Format)
	}
	h := &herd{ordinal: map[int64]int{}, count: head.Customers}
	for range head.Seeds {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		s, err := newStencil(line)
		if err != nil {
			return nil, err
		}
		h.seeds = append(h.seeds, s)
	}
	if err := h.number(); err != nil {
		return nil, err
	}
	st := newStore(h)
	st.seq, st.clock = head.Seq, head.At
	for range head.Affiliates {
		if err := readEdited(r, st.affiliates); err != nil {
			return nil, err
		}
	}
	for {
		if err := readEdited(r, st.customers); err != nil {
			return st, ignoreEOF(err)
		}
	}
}

func readEdited(r *bufio.Reader, b *book) error {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	body := bytes.TrimSuffix(line, []byte("\n"))
	b.edited[gjson.GetBytes(body, b.idField).Int()] = body
	return nil
}
