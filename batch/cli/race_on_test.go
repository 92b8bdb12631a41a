//go:build race

package cli_test

// underRace tells that the tests were built with the race detector, which makes every
// request take several times as long.
const underRace = true
