package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// mostShards is far beyond what one account's allowance is of use to.
const mostShards = 1000

// Shard is the part of a file that a run sends; the zero shard is all of it. As
// text it is I/N.
type Shard struct{ runs.Shard }

// Some reports whether the run is one of several that share the file.
func (s Shard) Some() bool { return s.Of > 0 }

func (s Shard) MarshalText() ([]byte, error) {
	if !s.Some() {
		return nil, nil
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads I/N. Shards count from 1: a job index that counts from 0 would
// leave out the last shard and have another sent by nobody, hence no second reading
// of 0. Nor is an empty text read as no shard: a variable that is missing must not
// make every process send the whole file.
func (s *Shard) UnmarshalText(text []byte) error {
	number, of, _ := strings.Cut(string(text), "/")
	i, err := strconv.Atoi(number)
	n, failed := strconv.Atoi(of)
	switch {
	case err != nil || failed != nil:
		return batch.Usage("--shard 1/4", "--shard %q is not of the form I/N", text)
	case n < 1 || n > mostShards:
		return batch.Usage("--shard 1/4", "--shard %s: a file has between 1 and %d shards", text, mostShards)
	case i == 0:
		return batch.Usage(fmt.Sprintf("--shard 1/%d to %d/%d; to an index that counts from 0, add 1", n, n, n),
			"--shard %s: shards are counted from 1", text)
	case i < 1 || i > n:
		return batch.Usage(fmt.Sprintf("--shard 1/%d to %d/%d", n, n, n), "--shard %s: there is no shard %d of %d", text, i, n)
	}
	s.Number, s.Of = i, n
	return nil
}

// home is the shard that a row belongs to: the first 8 bytes of the SHA-256 of
// system/field=key, such as fusebill/id=987001, as a number, big end first, modulo
// the number of shards, and 1 added. A row that names no customer goes by its line.
// This is for ever: a run that stopped must find its rows again, in whatever
// version of the program.
func (s Shard) home(who mapping.Subject) int {
	text := "line=" + strconv.Itoa(who.Line)
	if who.Field != "" {
		text = subject(who.System, who.Field, who.Key)
	}
	sum := sha256.Sum256([]byte(text))
	return int(binary.BigEndian.Uint64(sum[:8])%uint64(s.Of)) + 1
}
