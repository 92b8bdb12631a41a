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

// Found is what became of looking one reference up. Neither ID nor Out is set
// when the run stopped first.
type Found struct {
	Reference string
	ID        uint64
	Requests  int
	Out       *batch.Outcome // why the row ends here
}

// References looks the customer of every reference up. found is called from
// several goroutines. The error is why no further request makes sense.
func (l *Lookup) References(stop context.Context, refs iter.Seq2[int, string], found func(row int, f Found)) error {
	workers, stop := errgroup.WithContext(stop)
	workers.SetLimit(l.Workers)
	for row, ref := range refs {
		if stop.Err() != nil {
			break
		}
		workers.Go(func() error {
			f, err := l.reference(stop, ref)
			found(row, f)
			return err
		})
	}
	return workers.Wait()
}

func (l *Lookup) reference(stop context.Context, ref string) (Found, error) {
	if client.Unaskable(ref) {
		why := "it holds one of ; : , | *"
		switch {
		case strings.TrimSpace(ref) != ref:
			why = "it has spaces at its ends"
		case ref == "[empty]":
			why = "it stands for customers without a reference"
		}
		return Found{Reference: ref, Out: batch.Reject("bad_value", fmt.Sprintf(
			"the API has no way to search for the reference %q: %s; use the customer's id, or --lookup list", ref, why))}, nil
	}
	var match client.Match
	requests := 0
	rep, err := l.ask(stop, func() client.Reply {
		m, rep := l.Fusebill.FindByReference(stop, nil, ref)
		match, requests = m, requests+rep.Requests
		return rep
	})
	f := Found{Reference: ref, Requests: requests}
	switch {
	case err != nil || stop.Err() != nil && rep.Class != client.Answered:
	case rep.Class == client.Refused:
		f.Out = batch.Reject(refusal(rep), rep.Err.Error())
	case rep.Class != client.Answered:
		f.Out = &batch.Outcome{Kind: batch.NotAttempted, Code: "server_unavailable", Error: rep.Err.Error()}
	case len(match.IDs) == 0:
		f.Out = NoneWith(ref)
	case len(match.IDs) > 1:
		f.Out = SeveralWith(ref, match.IDs)
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

// NoneWith is the outcome of a row with a reference that no customer has.
func NoneWith(ref string) *batch.Outcome {
	return batch.Reject("not_found", fmt.Sprintf("no customer has the reference %q", ref))
}

// SeveralWith is the outcome of a row with a reference that several customers have.
func SeveralWith(ref string, ids []string) *batch.Outcome {
	return batch.Reject("ambiguous_reference",
		fmt.Sprintf("%d customers have the reference %q: ids %s", len(ids), ref, strings.Join(ids, ", ")))
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
