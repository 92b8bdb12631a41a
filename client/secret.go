package client

import (
	"fmt"
	"log/slog"
)

// Secret is a key that prints as *** wherever it ends up: in messages, logs,
// JSON, YAML. fmt cannot call methods on unexported struct fields, so keep a
// Secret in exported fields or in closures.
type Secret string

const mask = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string   { return mask }
func (Secret) GoString() string { return mask }

// Format covers every verb: %x of a plain string type would print the bytes.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, mask) }

func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
func (Secret) LogValue() slog.Value         { return slog.StringValue(mask) }
