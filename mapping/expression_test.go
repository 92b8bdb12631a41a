package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestExpressions(t *testing.T) {
	for code, want := range map[string]string{
		`replace(cell, " ", "")`:                                                  "annemarieo'hara",
		`replace(cell, "n", "m", 1)`:                                              "amne marie o'hara",
		`upper(cell[:1]) + cell[1:]`:                                              "Anne marie o'hara",
		`join(map(split(cell, " "), upper(#[:1]) + #[1:]), " ")`:                  "Anne Marie O'hara",
		`repeat("0", 20 - len(cell)) + cell`:                                      "000anne marie o'hara",
		`cell contains "x" ? "" : trim(split(cell, "o")[0])`:                      "anne marie",
		`let parts = split(cell, " "); last(parts) + ", " + first(parts)`:         "o'hara, anne",
		`string(len(cell) + 1)`:                                                   "18",
		`date("2026-01-02").Format("02/01/2006")`:                                 "02/01/2026",
		`reduce(split(cell, " "), #acc + # , "")`:                                 "annemarieo'hara",
		`string(reduce([1, 2, 3], #acc + #))`:                                     "6",
		`join(sort(filter(split(cell, " "), # != "marie")), "+") + toBase64("x")`: "anne+o'haraeA==",
		`repeat("x", 65536)[:2]`:                                                  "xx",
		`cell matches "^a" ? fromBase64("eA==") : "no"`:                           "x",
	} {
		program, err := compileExpression(code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if got, err := evaluate(program, "anne marie o'hara"); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", code, got, err, want)
		}
	}
}

// A few characters can ask for gigabytes, or for hours.
func TestExpressionsThatAskForTooMuch(t *testing.T) {
	grown := "cell"
	for range 60 {
		grown = `replace(` + grown + `, "a", "aaaaaaaaaa")`
	}
	coded := "cell"
	for range 200 {
		coded = "toBase64(" + coded + ")"
	}
	sums := "let a = cell + cell; "
	for c := 'b'; c <= 'z'; c++ {
		sums += fmt.Sprintf("let %c = %c + %c; ", c, c-1, c-1)
	}
	for name, code := range map[string]string{
		"repeated":           `repeat(repeat(repeat(cell, 60000), 60000), 60000)`,
		"repeated at once":   `repeat(cell, 999999999)`,
		"repeated, overflow": `repeat(repeat("x", 60000), 9223372036854775807)`,
		"replaced":           grown,
		"every place":        `replace(repeat("x", 60000), "", repeat("y", 60000))`,
		"joined":             `join(map(1..999, repeat("x", 60000)), "")`,
		"joined by":          `join(split(repeat("x", 60000), ""), repeat("y", 60000))`,
		"coded":              coded,
		"doubled":            sums + "z",
		"reduced":            `reduce(1..900, #acc + #acc, cell)`,
		"ranged":             `string(len(1..999999999))`,
		"listed":             `string(map(split(repeat("x", 60000), ""), repeat("y", 60000)))`,
		"loops":              `string(count(1..900, count(1..900, count(1..900, true) > 0) > 0))`,
		"loops over names":   `let l = split(repeat("x", 60000), ""); string(all(l, all(l, all(l, true))))`,
		"JSON":               `toJSON(map(1..900, repeat("x", 60000)))`,
		"long":               `"` + strings.Repeat("x", LongestExpression) + `"`,
		"a long cell":        `cell`,
	} {
		t.Run(name, func(t *testing.T) {
			began, cell := time.Now(), "abcabc"
			if name == "a long cell" {
				cell = strings.Repeat("x", longestResult+1)
			}
			program, err := compileExpression(code)
			if err == nil {
				_, err = evaluate(program, cell)
			}
			if took := time.Since(began); err == nil || took > 2*time.Second {
				t.Errorf("%v after %v", err, took)
			} else {
				t.Log(firstLine(err))
			}
		})
	}
}
