package batch

import (
	"encoding/json"

	"github.com/tidwall/gjson"
)

// outcomeIn reads the outcome of a done record, as encoding/json would: a report
// of a million rows reads as many. nil: it is no such record.
func outcomeIn(line []byte) *Outcome {
	body, sound := checked(line)
	if !sound || !gjson.ValidBytes(body) {
		return nil
	}
	record := gjson.GetBytes(body, "o")
	if !record.IsObject() {
		return nil
	}
	r := recaller{}
	record.ForEach(func(name, value gjson.Result) bool {
		r.field(name.Str, value)
		return !r.failed
	})
	if r.failed {
		return nil
	}
	return &r.Outcome
}

// changesIn reads the changes of an intent.
func changesIn(line []byte) (changes []Change, ok bool) {
	body, sound := checked(line)
	if !sound || !gjson.ValidBytes(body) {
		return nil, false
	}
	r := recaller{}
	if list := gjson.GetBytes(body, "c"); list.Exists() {
		r.changes(list)
	}
	return r.Changes, !r.failed
}

// recaller puts an outcome together from its fields.
type recaller struct {
	Outcome
	failed bool
}

func (r *recaller) field(name string, v gjson.Result) {
	switch name {
	case "k":
		r.Kind = Kind(r.text(v))
	case "key":
		r.Key = r.text(v)
	case "id":
		r.ID = r.text(v)
	case "c":
		r.changes(v)
	case "act":
		r.Action = r.text(v)
	case "ct":
		r.Created = r.text(v)
	case "cur":
		r.Currency = r.text(v)
	case "http":
		r.HTTP = int(r.number(v))
	case "code":
		r.Code = r.text(v)
	case "err":
		r.Error = r.text(v)
	default:
		r.rest(name, v)
	}
}

func (r *recaller) rest(name string, v gjson.Result) {
	switch name {
	case "n":
		r.Sends = int(r.number(v))
	case "lost":
		r.Lost = v.Bool()
	case "q":
		r.Requests = int(r.number(v))
	case "ms":
		r.Millis = r.number(v)
	case "t":
		r.failed = r.failed || r.At.UnmarshalText([]byte(r.text(v))) != nil
	case "who":
		r.Customer = r.text(v)
	case "st":
		r.Status = r.text(v)
	case "bal":
		r.Balance = r.text(v)
	case "next":
		r.Billing = r.text(v)
	case "sta":
		r.failed = r.failed || json.Unmarshal([]byte(v.Raw), &r.Standing) != nil
	}
}

func (r *recaller) text(v gjson.Result) string {
	r.failed = r.failed || v.Type != gjson.String
	return v.Str
}

func (r *recaller) number(v gjson.Result) int64 {
	r.failed = r.failed || v.Type != gjson.Number
	return v.Int()
}

func (r *recaller) changes(list gjson.Result) {
	r.failed = r.failed || !list.IsArray()
	list.ForEach(func(_, one gjson.Result) bool {
		var c Change
		r.failed = r.failed || !one.IsObject()
		one.ForEach(func(name, v gjson.Result) bool {
			switch name.Str {
			case "f":
				c.Field = r.text(v)
			case "b":
				c.Before = Value(r.text(v))
			case "a":
				c.After = Value(r.text(v))
			}
			return true
		})
		r.Changes = append(r.Changes, c)
		return true
	})
}
