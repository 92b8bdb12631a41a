// Package samples embeds the example files and the sandbox's seed.
package samples

import _ "embed"

//go:embed seed.json
var seed []byte

// Seed returns the customers of a fresh sandbox: a JSON array.
func Seed() []byte { return seed }
