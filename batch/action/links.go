package action

import (
	"sync"

	"rowbatch/batch"
)

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
