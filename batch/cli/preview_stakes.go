package cli

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/reports"
)

// parentsShown bounds the parent customers that are named.
const parentsShown = 20

// stakes is what the customers of holds owe and pay, added up.
type stakes struct {
	balance, recurring map[string]*big.Rat // by currency
	unread             int                 // customers whose amounts are no numbers
	parents            []string
	moreParents        int
}

func (s *stakes) add(o batch.Outcome) {
	if s.balance == nil {
		s.balance, s.recurring = map[string]*big.Rat{}, map[string]*big.Rat{}
	}
	if !sum(s.balance, o.Currency, o.Balance) || !sum(s.recurring, o.Currency, o.Recurring) {
		s.unread++
	}
	if !o.Parent {
		return
	}
	if len(s.parents) == parentsShown {
		s.moreParents++
		return
	}
	s.parents = append(s.parents, reports.Visible(o.Key+" "+o.Customer))
}

// sum adds an amount of money exactly.
func sum(to map[string]*big.Rat, currency, amount string) bool {
	n, ok := new(big.Rat).SetString(amount)
	if !ok {
		return false
	}
	if to[currency] == nil {
		to[currency] = new(big.Rat)
	}
	to[currency].Add(to[currency], n)
	return true
}

// lines tells the totals for people.
func (s *stakes) lines() (lines []string) {
	if len(s.balance) > 0 {
		lines = append(lines, "balance "+amounts(s.balance), "recurring revenue a month "+amounts(s.recurring))
	}
	if s.unread > 0 {
		lines = append(lines, "amounts of "+plural(s.unread, "customer")+" could not be read")
	}
	if len(s.parents) > 0 {
		line := "parents of other customers: " + strings.Join(s.parents, ", ")
		if s.moreParents > 0 {
			line += fmt.Sprintf(", and %s more", thousands(s.moreParents))
		}
		lines = append(lines, line)
	}
	return lines
}

func amounts(of map[string]*big.Rat) string {
	var all []string
	for _, currency := range slices.Sorted(maps.Keys(of)) {
		all = append(all, of[currency].FloatString(2)+" "+reports.Visible(currency))
	}
	return strings.Join(all, ", ")
}

// standingText is what a customer owes and pays.
func standingText(s batch.Standing, currency string) string {
	next := s.NextBilling
	if next == "" {
		next = "none"
	}
	return reports.Visible(fmt.Sprintf("balance %s %s, recurring %s a month, next billing %s", s.Balance, currency, s.Recurring, next))
}
