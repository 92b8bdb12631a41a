package cli_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"rowbatch/samples"
)

func with(words []string, more ...string) []string { return append(slices.Clone(words), more...) }

const firstID = 987001

// drawn returns n of the sample customers, each once.
func drawn(random *rand.Rand, n int) (ids []string) {
	for _, at := range random.Perm(300)[:n] {
		ids = append(ids, strconv.Itoa(firstID+at))
	}
	return ids
}

// updateRows are 60 rows of 45 customers.
func updateRows(random *rand.Rand) [][]string {
	all := [][]string{{"id", "firstName", "primaryPhone", "customerReference.reference2", "customerAcquisition.source", "salesTrackingCode.Sales Tracking Code 1"}}
	ids := drawn(random, 45)
	for n := range 60 {
		row := []string{ids[n%len(ids)]}
		for at, name := range all[0][1:] {
			row = append(row, cellOf(random, n, at, name))
		}
		all = append(all, row)
	}
	return all
}

func referenceRows(random *rand.Rand) [][]string {
	all := [][]string{{"reference", "firstName", "primaryPhone"}}
	for n, at := range random.Perm(300)[:50] {
		all = append(all, []string{fmt.Sprintf("AC-%d", 1001+at), fmt.Sprintf("A%d", n), fmt.Sprintf("555-%d", n)})
	}
	return append(all, []string{"AC-none", "X", ""})
}

func holdRows(random *rand.Rand) [][]string {
	all := [][]string{{"id"}}
	for _, id := range drawn(random, 45) {
		all = append(all, []string{id})
	}
	return all
}

// latchRows set, keep and take away links, and move contacts from one customer to another.
func latchRows(random *rand.Rand) [][]string {
	all := [][]string{{"id", "hubSpotId", "hubSpotCompanyId"}}
	var linked []gjson.Result
	for _, c := range gjson.ParseBytes(samples.Seed()).Array() {
		if c.Get("hubSpotId").Type == gjson.Number && c.Get("status").Str == "Active" {
			linked = append(linked, c)
		}
	}
	named := map[string]bool{}
	for i, c := range linked[:12] { // every second takes the contact of the one before, which gets another
		contact := fmt.Sprint(51000700000 + i)
		if i%2 == 1 {
			contact = linked[i-1].Get("hubSpotId").Raw
		}
		named[c.Get("id").Raw] = true
		all = append(all, []string{c.Get("id").Raw, contact, ""})
	}
	for n, id := range drawn(random, 50) {
		if !named[id] {
			all = append(all, []string{id, []string{fmt.Sprint(51000500000 + n), "REMOVE", ""}[random.IntN(3)], []string{fmt.Sprint(7300500000 + n), "", "REMOVE"}[random.IntN(3)]})
		}
	}
	random.Shuffle(len(all)-1, func(i, j int) { all[i+1], all[j+1] = all[j+1], all[i+1] })
	return all
}

// killPasswords are in the files and must be nowhere else.
func killPasswords() []string {
	return []string{`tulip "lantern" <4>&%+/=`, "überweg-7 nachtigall", "c2VjcmV0LXdvcmQ="}
}

// patchRows name some customers by their number and some by their subscription, a few by both.
func patchRows(random *rand.Rand) [][]string {
	all := [][]string{{"customer_id", "subscription_id", "city", "custom1", "password"}}
	for n := range 45 {
		row := []string{strconv.Itoa(4001 + n), "", fmt.Sprintf("City %d", n), []string{"", "REMOVE", fmt.Sprint("x", n)}[random.IntN(3)], ""}
		if n%3 == 1 {
			row[0], row[1] = "", "S-"+row[0]
		}
		if n%5 == 2 {
			row[4] = killPasswords()[n%3]
		}
		all = append(all, row)
		if n%9 == 4 {
			all = append(all, []string{"", fmt.Sprint("S-", 4001+n), fmt.Sprintf("Town %d", n), "", ""})
		}
	}
	return all
}

// mixedRows are rows of all actions, up to four of them for a customer.
func mixedRows(random *rand.Rand) [][]string {
	all := [][]string{{"action", "id", "customer_id", "firstName", "hubSpotId", "city"}}
	for n, id := range drawn(random, 25) {
		rows := [][]string{
			{"update", id, "", fmt.Sprint("A", n), "", ""}, {"latch", id, "", "", fmt.Sprint(51000600000 + n), ""},
			{"update", id, "", fmt.Sprint("B", n), "", ""}, {"hold", id, "", "", "", ""},
		}
		all = append(all, rows[random.IntN(2):2+random.IntN(3)]...)
		if n%2 == 0 {
			all = append(all, []string{"patch", "", strconv.Itoa(4100 + n), "", "", fmt.Sprint("City ", n)})
		}
	}
	return all
}

func csvOf(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// idsIn are the customers that a file names by id, each once.
func idsIn(rows [][]string) (ids []string) {
	at := slices.Index(rows[0], "id")
	for _, row := range rows[1:] {
		if at >= 0 && row[at] != "" && !slices.Contains(ids, row[at]) {
			ids = append(ids, row[at])
		}
	}
	return ids
}
