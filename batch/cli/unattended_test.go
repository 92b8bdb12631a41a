package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A command that takes too long is ended, also where what it has begun keeps its streams open.
func TestNotifyIsEndedInTime(t *testing.T) {
	var out bytes.Buffer
	err := notify("sleep 100 & wait", []byte("{}"), &out, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the command of --notify was ended after 0.1 s") {
		t.Error(err)
	}
}
