package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// Unaskable says that a reference cannot be searched for: the API gives some
// characters a meaning of their own and documents no way to quote them
// (developer.staxbill.com/reference/string-filtering), and may trim spaces.
func Unaskable(ref string) bool {
	return strings.ContainsAny(ref, ";:,|*") || ref == "" || ref == "[empty]" || strings.TrimSpace(ref) != ref
}

// Match is what a search by reference found.
type Match struct {
	IDs  []string          // of the customers whose reference is the one asked for, byte for byte
	Rows []json.RawMessage // their list rows
}

const searchSize = 1000 // the server's cap is nowhere below it

// FindByReference searches the customers with a reference, which need not be
// unique (developer.staxbill.com/reference/customer-object). A match without
// ids and an Answered reply mean that there is none.
func (f *Fusebill) FindByReference(ctx context.Context, l *Lease, ref string) (Match, Reply) {
	if Unaskable(ref) {
		return Match{}, Reply{Class: Refused, Err: &RecordError{
			fmt.Sprintf("the API cannot be asked for the reference %q: it holds one of ; : , | * or spaces at its ends", visible(ref)), "the customer's id instead"}}
	}
	rep := f.Customers(ctx, l, Query{Terms: "reference:" + ref, Size: searchSize})
	if rep.Class != Answered {
		return Match{}, rep
	}
	m, err := matches(rep.Body, ref)
	if err != nil {
		rep.Class, rep.Err, rep.Body = refusedOrLost(err), err, nil
	}
	return m, rep
}

func refusedOrLost(err error) Class {
	var record *RecordError
	if errors.As(err, &record) {
		return Refused
	}
	return Lost
}

// matches picks the rows whose reference equals ref. Whether the server minds
// letter case is not documented, so it may have found more.
func matches(page []byte, ref string) (Match, error) {
	var m Match
	var err error
	seen := map[string]bool{}
	rows := 0
	gjson.ParseBytes(page).ForEach(func(_, row gjson.Result) bool {
		rows++
		if !row.IsObject() || identifier(row.Get("id")) == "" {
			err = &LostError{Text: "the list of customers holds a row without an id"}
			return false
		}
		if id := identifier(row.Get("id")); identifier(row.Get("reference")) == ref && !seen[id] {
			seen[id] = true
			m.IDs, m.Rows = append(m.IDs, id), append(m.Rows, json.RawMessage(row.Raw))
		}
		return true
	})
	if err == nil && rows >= searchSize {
		err = &RecordError{fmt.Sprintf("more customers than one page holds have a reference like %q", visible(ref)), "the customer's id instead"}
	}
	if err != nil {
		return Match{}, err
	}
	return m, nil
}
