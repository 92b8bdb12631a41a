package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"rowbatch/batch"
	"rowbatch/client"
	"rowbatch/mapping"
)

// Lookup asks the account what must be known before the first row is decided.
// Its requests are repeated patiently while the server does not answer.
type Lookup struct {
	Fusebill *client.Fusebill
	Workers  int
}

// Found is what became of looking up the customer of one key that is no id. Neither ID nor Out is set
// when the run stopped first.
type Found struct {
	Key      string // such as reference=AC-100
	ID       uint64
	Requests int
	Out      *batch.Outcome // why the row ends here
}

// References looks up the customers of keys that are no ids, such as reference=AC-100. found is called from
// several goroutines. The error is why no further request makes sense.
func (l *Lookup) References(stop context.Context, keys iter.Seq2[int, string], found func(row int, f Found)) error {
	workers, stop := errgroup.WithContext(stop)
	workers.SetLimit(l.Workers)
	for row, key := range keys {
		if stop.Err() != nil {
			break
		}
		workers.Go(func() error {
			f, err := l.find(stop, key)
			found(row, f)
			return err
		})
	}
	return workers.Wait()
}

func (l *Lookup) find(stop context.Context, key string) (Found, error) {
	field, value, _ := strings.Cut(key, "=")
	if client.Unaskable(value) {
		why := "it holds one of ; : , | *"
		switch {
		case strings.TrimSpace(value) != value:
			why = "it has spaces at its ends"
		case value == "[empty]":
			why = "it stands for customers without a " + field
		}
		return Found{Key: key, Out: batch.Reject("bad_value", fmt.Sprintf(
			"the API has no way to search for the %s %q: %s; use the customer's id, or --lookup list", field, value, why))}, nil
	}
	var match client.Match
	requests := 0
	rep, err := l.ask(stop, func() client.Reply {
		m, rep := l.Fusebill.Find(stop, nil, field, value)
		match, requests = m, requests+rep.Requests
		return rep
	})
	f := Found{Key: key, Requests: requests}
	switch {
	case err != nil || stop.Err() != nil && rep.Class != client.Answered:
	case rep.Class == client.Refused:
		f.Out = batch.Reject(refusal(rep), rep.Err.Error())
	case rep.Class != client.Answered:
		f.Out = &batch.Outcome{Kind: batch.NotAttempted, Code: "server_unavailable", Error: rep.Err.Error()}
	case len(match.IDs) == 0:
		f.Out = NoneWith(key)
	case len(match.IDs) > 1:
		f.Out = SeveralWith(key, match.IDs)
	default:
		var bad error
		if f.ID, bad = strconv.ParseUint(match.IDs[0], 10, 64); bad != nil {
			f.Out = batch.Reject("unreadable_record", fmt.Sprintf("the customer's id %q is no whole number", match.IDs[0]))
		}
	}
	if f.Out != nil {
		f.Out.Requests, f.Out.HTTP = requests, rep.Status
	}
	return f, err
}

// NoneWith is the outcome of a row with a key that no customer has.
func NoneWith(key string) *batch.Outcome {
	field, value, _ := strings.Cut(key, "=")
	return batch.Reject("not_found", fmt.Sprintf("no customer has the %s %q", field, value))
}

// SeveralWith is the outcome of a row with a key that several customers have.
func SeveralWith(key string, ids []string) *batch.Outcome {
	field, value, _ := strings.Cut(key, "=")
	return batch.Reject("ambiguous_reference",
		fmt.Sprintf("%d customers have the %s %q: ids %s", len(ids), field, value, strings.Join(ids, ", ")))
}

// ask repeats a request until it is answered or refused. The error ends the run.
func (l *Lookup) ask(stop context.Context, request func() client.Reply) (client.Reply, error) {
	rep := l.Fusebill.Patiently(stop, request)
	if client.EndsRun(rep.Err) {
		return rep, rep.Err
	}
	return rep, nil
}

// Codes looks up each type and code that a file gives, once, and the types of
// which it only removes codes. A server that does not know the route leaves the
// names as they are given.
func (l *Lookup) Codes(stop context.Context, uses []mapping.Use) (*TrackingCodes, error) {
	codes := NewTrackingCodes()
	var refused *client.APIError
	for _, use := range uses {
		alike := func(u mapping.Use) bool { return u.Member == use.Member && u.Text != "" }
		if use.Text == "" && slices.ContainsFunc(uses, alike) {
			continue // a code of the type is looked up anyway
		}
		rep, err := l.ask(stop, func() client.Reply { return l.Fusebill.TrackingCode(stop, nil, use.Member, cmp.Or(use.Text, anyCode)) })
		switch {
		case err != nil:
			return codes, err
		case stop.Err() != nil:
			return codes, context.Cause(stop)
		case rep.Status == http.StatusNotFound && errors.As(rep.Err, &refused) && len(refused.Details) == 0:
			return codes, nil // an account without the code answers with the documented list of errors
		case rep.Class == client.Answered && use.Text != "":
			// An answer is what it is only when it is about the code that was asked for.
			typ, code := gjson.GetBytes(rep.Body, "type").String(), gjson.GetBytes(rep.Body, "code").String()
			if typ != "" && strings.EqualFold(code, use.Text) {
				codes.Known(use.Member, use.Text, typ, code)
			} else {
				codes.Unknown(use.Member, use.Text, fmt.Sprintf("the server answered with the code %q of type %q", code, typ))
			}
		case rep.Class == client.Refused && use.Text != "":
			codes.Unknown(use.Member, use.Text, rep.Err.Error())
		case rep.Class == client.Refused && rep.Status == http.StatusBadRequest:
			codes.Unknown(use.Member, "", rep.Err.Error())
		case rep.Class != client.Answered && rep.Class != client.Refused:
			return codes, fmt.Errorf("the sales tracking code %q could not be looked up: %w", use.Text, rep.Err)
		}
	}
	return codes, nil
}

// anyCode stands in the question whether a type exists: for an unknown type the
// server answers 400, for an unknown code 404.
const anyCode = "-"
