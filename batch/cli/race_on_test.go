//go:build race

package cli_test

// underRace says that the tests were built with the race detector, which makes
// every request several times as long.
const underRace = true
