package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"

	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// longestHeading is how much of a standard input is looked at before it is kept.
const longestHeading = 64 << 10

// refuseSecrets looks at the first line of a standard input, so that a column of
// passwords is refused before anything of it is on disk.
func refuseSecrets(stop context.Context, stdin io.Reader, file *mapping.File, f *actionFlags, j job) (io.Reader, error) {
	ahead := bufio.NewReaderSize(stdin, longestHeading)
	var line []byte
	seen := make(chan struct{})
	go func() { // a read from a pipe that nobody writes to cannot be ended, only left behind
		line = firstLine(ahead)
		close(seen)
	}()
	select {
	case <-seen:
	case <-stop.Done():
		return nil, context.Cause(stop)
	}
	if hasSecrets(line, file, f, j) {
		return nil, secretsOnStdin()
	}
	return ahead, nil
}

// hasSecrets says that a heading has a column of passwords. Whatever else may be
// wrong with it is told when it is read.
func hasSecrets(line []byte, file *mapping.File, f *actionFlags, j job) bool {
	input, err := csvfile.NewReader(bytes.NewReader(line), "-", csvfile.Options{Delimiter: f.separator, Encoding: f.encoding})
	if err != nil {
		return false
	}
	m, err := j.compile(input.Heading(), mapping.CompileOptions{Name: "-", File: file, Match: f.matches, Ignore: f.ignore})
	return err == nil && m.HasSecrets()
}

// firstLine peeks at the first line, or as much of it as there is room for.
func firstLine(r *bufio.Reader) []byte {
	for n := 1; ; n *= 2 {
		n = min(n, longestHeading)
		text, err := r.Peek(n)
		if at := bytes.IndexByte(text, '\n'); at >= 0 {
			return text[:at+1]
		}
		if err != nil || n == longestHeading {
			return text
		}
	}
}

func secretsOnStdin() error {
	return &csvfile.Refusal{Text: "standard input has a password column, and would have to be kept in a file", Try: "pass the file itself"}
}
