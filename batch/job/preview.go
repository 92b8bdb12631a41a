package job

import (
	"fmt"
	"hash/maphash"
	"math/big"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

const (
	previewRows  = 20
	previewMails = 100_000 // addresses that are counted, so that memory stays bounded
	parentsNamed = 20
)

// Preview is what a pass without sending would change.
type Preview struct {
	Rows    []PreviewRow // the first of the file
	Fields  []*FieldCount
	Holds   int // customers that would be put on hold
	Unholds int // customers that would be taken off hold
	Patches int // rows whose old values nobody can read
	Stakes  Stakes
	Shared  SharedMail

	mails map[uint64]int // hash of a new primaryEmail → customers that would get it
	seed  maphash.Seed
}

// PreviewRow is one row that would change its customer.
type PreviewRow struct {
	N             int
	Key, Customer string
	Changes       []batch.Change
	Standing      batch.Standing // where the overview was read
	Currency      string
}

// FieldCount counts the rows that set a field.
type FieldCount struct {
	Name             string
	Changed, Cleared int // Changed includes the cleared ones
}

// SharedMail is the new address that most customers would get.
type SharedMail struct {
	Address   string
	Customers int
}

// Stakes is what the customers of holds owe and pay, added up.
type Stakes struct {
	Balance, Recurring map[string]*big.Rat // by currency
	Unread             int                 // customers whose amounts are no numbers
	Parents            []string            // customers to whom others belong: the first ones, by key and name
	MoreParents        int
}

func newPreview() *Preview { return &Preview{mails: map[uint64]int{}, seed: maphash.MakeSeed()} }

// PreviewOf counts what a dry run has found, as its journal tells, without the rows that are left out.
func PreviewOf(j *runs.Journal, leftOut func(row int) bool) (*Preview, error) {
	p := newPreview()
	for n := range j.Head.Rows {
		o, err := j.Outcome(n)
		if err != nil {
			return nil, err
		}
		if leftOut == nil || !leftOut(n) {
			p.add(n, o)
		}
	}
	return p, nil
}

func (p *Preview) add(n int, o batch.Outcome) {
	if o.Kind != batch.WouldChange {
		return
	}
	for _, c := range o.Changes {
		f := p.Field(c.Field)
		if f == nil {
			f = &FieldCount{Name: c.Field}
			p.Fields = append(p.Fields, f)
		}
		f.Changed++
		if c.After.Empty() {
			f.Cleared++
		} else if c.Field == "primaryEmail" {
			p.addMail(c.After.Plain())
		}
	}
	switch o.Action { // all schemas of all actions are made to look one up, which is much for each row
	case "patch":
		p.Patches++
	case "hold":
		p.Holds++
		p.Stakes.add(o)
	case "unhold":
		p.Unholds++
		p.Stakes.add(o)
	}
	row := PreviewRow{n, o.Key, o.Customer, o.Changes, o.Standing, o.Currency}
	at, _ := slices.BinarySearchFunc(p.Rows, row, func(a, b PreviewRow) int { return a.N - b.N }) // rows are settled in any order
	p.Rows = slices.Insert(p.Rows, at, row)
	p.Rows = p.Rows[:min(len(p.Rows), previewRows)]
}

// Field returns the count of a field; nil: no row sets it.
func (p *Preview) Field(name string) *FieldCount {
	if i := slices.IndexFunc(p.Fields, func(f *FieldCount) bool { return f.Name == name }); i >= 0 {
		return p.Fields[i]
	}
	return nil
}

func (p *Preview) addMail(address string) {
	h := maphash.String(p.seed, strings.ToLower(address))
	if len(p.mails) >= previewMails && p.mails[h] == 0 {
		return
	}
	p.mails[h]++
	if p.mails[h] > p.Shared.Customers {
		p.Shared = SharedMail{address, p.mails[h]}
	}
}

func (s *Stakes) add(o batch.Outcome) {
	if s.Balance == nil {
		s.Balance, s.Recurring = map[string]*big.Rat{}, map[string]*big.Rat{}
	}
	if !sum(s.Balance, o.Currency, o.Balance) || !sum(s.Recurring, o.Currency, o.Recurring) {
		s.Unread++
	}
	switch {
	case !o.Parent:
	case len(s.Parents) == parentsNamed:
		s.MoreParents++
	default:
		s.Parents = append(s.Parents, o.Key+" "+o.Customer)
	}
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

// Table shows what so many customers owe and pay; nil where nothing is known of it.
func (s Stakes) Table(customers int) *page.Stakes {
	if len(s.Balance) == 0 && s.Unread == 0 && len(s.Parents) == 0 {
		return nil
	}
	v := &page.Stakes{Customers: customers}
	for currency := range s.Balance {
		v.Currencies = append(v.Currencies, currency)
	}
	slices.Sort(v.Currencies)
	sums := []map[string]*big.Rat{s.Balance, s.Recurring}
	for n, name := range []string{"Balance", "Recurring revenue a month"} {
		line := page.Amounts{Name: name}
		for _, currency := range v.Currencies {
			sum := sums[n][currency]
			if sum == nil {
				sum = new(big.Rat)
			}
			line.Of = append(line.Of, sum.FloatString(2))
		}
		v.Lines = append(v.Lines, line)
	}
	if s.Unread > 0 {
		v.Notes = append(v.Notes, "Amounts of "+batch.Plural(s.Unread, "customer")+" could not be read.")
	}
	if len(s.Parents) > 0 {
		text := "Other customers belong to " + batch.Visible(strings.Join(s.Parents, ", "))
		if s.MoreParents > 0 {
			text += fmt.Sprintf(", and to %s more", batch.Thousands(s.MoreParents))
		}
		v.Notes = append(v.Notes, text+".")
	}
	return v
}
