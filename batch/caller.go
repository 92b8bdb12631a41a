package batch

import (
	"bytes"
	"strings"
)

// caller names the place of a panic in a stack trace: the first line of a
// source file after the runtime's own. Only the place is kept, since arguments
// in a trace could hold a cell's content.
func caller(stack []byte) string {
	_, after, found := bytes.Cut(stack, []byte("panic("))
	if !found {
		return "an unknown place"
	}
	lines := strings.Split(string(after), "\n")
	for _, line := range lines[min(2, len(lines)):] {
		if place, _, ok := strings.Cut(strings.TrimSpace(line), " +0x"); ok {
			return place[strings.LastIndex(place, "/")+1:]
		}
	}
	return "an unknown place"
}
