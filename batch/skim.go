package batch

import (
	"io"

	"github.com/tidwall/gjson"
)

// Skim is Scan for whoever wants to know where the records stand: those of rows
// lack what was found, changed and answered. Of an outcome there are its kind and
// what became of its writes.
func Skim(r io.Reader, each func(offset int64, e *Entry) error) (sound int64, err error) {
	return scan(r, skim, each)
}

func skim(line []byte) *Entry {
	body, sound := checked(line)
	if !sound || !gjson.ValidBytes(body) {
		return nil
	}
	f := gjson.GetManyBytes(body, "s", "k", "d", "r") // which every record begins with
	e := Entry{Seq: f[0].Int(), Kind: f[1].Str, Durable: f[2].Int(), Row: int(f[3].Int())}
	switch e.Kind {
	case "intent":
	case "done":
		o := gjson.GetBytes(body, "o")
		if !o.IsObject() {
			return decode(line)
		}
		e.Outcome = &Outcome{Kind: Kind(o.Get("k").Str), Lost: o.Get("lost").Bool(), Futile: o.Get("fut").Bool()}
	default:
		return decode(line)
	}
	return &e
}
