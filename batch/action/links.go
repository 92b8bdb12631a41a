package action

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// linkKeys are a customer's ids in other systems, which a PUT without them clears.
func linkKeys() []string {
	return []string{hubSpotContact, hubSpotCompany, "geotabId", "netsuiteId", "salesforceId", "quickBooksId"}
}

// hiddenLinks reads the links that customers' records lack from their overviews.
type hiddenLinks struct {
	keys []string
	warn func(string) // told of one that the overview lacks, too; nil: nobody is
	said sync.Once
	lack atomic.Bool // some record lacked one, so that visits need one read more
}

// requests is how many a visit takes that takes n but for overviews.
func (h *hiddenLinks) requests(n int) int {
	if h.lack.Load() {
		return n + 1
	}
	return n
}

// complete adds to a record the links that only the overview shows.
func (h *hiddenLinks) complete(ctx context.Context, v *fusebillVisit, rep batch.Reply) batch.Reply {
	if rep.Class != batch.Answered {
		return rep
	}
	lacking := h.absent(rep.Record.Body)
	if lacking == nil {
		return rep
	}
	h.lack.Store(true)
	seen := v.overview(ctx, rep.Record.ID)
	seen.Requests += rep.Requests
	if seen.Class == batch.Refused {
		seen.Code, seen.Text = "cannot_read_link", fmt.Sprintf("the customer's record does not show %s, and the overview cannot be read: %s", strings.Join(lacking, ", "), seen.Text)
	}
	if seen.Class != batch.Answered {
		return seen
	}
	rep.Requests = seen.Requests
	for _, key := range lacking {
		raw := overviewLink(seen.Record.Body, key)
		if raw == batch.Absent {
			continue
		}
		body, err := sjson.SetRawBytes(rep.Record.Body, key, []byte(raw))
		if err != nil {
			return batch.Reply{Class: batch.Refused, Requests: rep.Requests, Code: "unreadable_record", Text: err.Error()}
		}
		rep.Record.Body = body
		rep.Record.Elsewhere = append(rep.Record.Elsewhere, key)
	}
	rep.Record.Status = cmp.Or(seen.Record.Status, rep.Record.Status) // as of the later read
	return rep
}

// tell says, once, that a customer is edited without a link that nothing shows.
func (h *hiddenLinks) tell(s batch.Step) {
	if nowhere := h.absent(s.Body); nowhere != nil && h.warn != nil {
		h.said.Do(func() {
			h.warn(fmt.Sprintf("neither the record of customer %s nor its overview shows %s: customers are edited without",
				s.Before.ID, strings.Join(nowhere, ", ")))
		})
	}
}

// absent are the keys that a record lacks.
func (h *hiddenLinks) absent(record []byte) (keys []string) {
	for _, key := range h.keys {
		if valueOf(record)(key) == batch.Absent {
			keys = append(keys, key)
		}
	}
	return keys
}

// wholeNumber is an id as a record spells one of QuickBooks, which the overview shows as text.
var wholeNumber = regexp.MustCompile(`^"([1-9][0-9]*)"$`)

// overviewLink reads a link from an overview, which spells one key otherwise.
func overviewLink(overview []byte, key string) batch.Value {
	value := valueOf(overview)
	if key != "quickBooksId" {
		return value(key)
	}
	return batch.Value(wholeNumber.ReplaceAllString(string(cmp.Or(value(key), value("quickbooksId"))), "$1"))
}

// mostLinks bounds the memory of links: beyond it a refusal is told without the
// name of the customer who has the link.
const mostLinks = 100_000

// links remembers who has which link to HubSpot, among the customers seen.
type links struct {
	mu     sync.Mutex
	owners map[string]string // link → customer's id
}

func newLinks() *links { return &links{owners: map[string]string{}} }

func (l *links) note(id string, value func(string) batch.Value) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, field := range []string{hubSpotContact, hubSpotCompany} {
		if link := linkValue(field, value); link != "" && len(l.owners) < mostLinks {
			l.owners[link] = id
		}
	}
}

// free forgets the links that a customer had.
func (l *links) free(id string, value func(string) batch.Value) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, field := range []string{hubSpotContact, hubSpotCompany} {
		if link := linkValue(field, value); l.owners[link] == id {
			delete(l.owners, link)
		}
	}
}

// owner returns another customer who has one of the links, "" when none is known.
func (l *links) owner(id string, value func(string) batch.Value) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, field := range []string{hubSpotContact, hubSpotCompany} {
		if owner := l.owners[linkValue(field, value)]; owner != "" && owner != id {
			return owner
		}
	}
	return ""
}
