package action_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/client/sandbox"
)

const (
	issuedKey  client.Secret = "MDpzM2NyZXQ="
	revokedKey client.Secret = "MDpyZXZva2Vk"
	baseURL                  = "http://127.0.0.1/v1" // of the stand-in, which has no socket
)

// unlinked are the keys of a customer who is linked to no other system.
const unlinked = `"hubSpotId":null,"hubSpotCompanyId":null,"geotabId":null,"netsuiteId":null,"salesforceId":null,"quickBooksId":null,`

const herd = `[{` + unlinked + `"firstName":"Ada","lastName":"Reed","companyName":"Northlight Ltd","title":"","primaryPhone":5550100,"reference":40021,` +
	`"status":"Active","currency":"USD","customerReference":{"reference1":null,"salesTrackingCodes":[` +
	`{"type":"Region","code":"NORTH","name":"North","id":4414}],"id":7,"uri":"/v1/customers/7"},"customerAcquisition":null,` +
	`"monthlyRecurringRevenue":25.9800,"crmRecordId":9007199254740993123,"modifiedTimestamp":"2025-01-02T03:04:05.1234567Z","id":7},` +
	`{` + unlinked + `"id":8,"status":"Active","currency":"USD","reference":"AC-1","firstName":"Bo","lastName":"Lund"},` +
	`{` + unlinked + `"id":9,"status":"Active","currency":"CAD","reference":"AC-1","lastName":"Holm"},` +
	`{"id":10,"status":"Active","currency":"USD","reference":"ac-1","lastName":"Iver"},` +
	`{"id":11,"status":"Cancelled","currency":"USD","reference":"gone","lastName":"Juno"}]`

func stand(t *testing.T, o sandbox.Options, faults ...string) *sandbox.Sandbox {
	t.Helper()
	o.Seed = []byte(herd)
	var err error
	if o.Faults, err = sandbox.ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func clientOf(t *testing.T, transport http.RoundTripper, key client.Secret, g *governor.Governor) *client.Fusebill {
	t.Helper()
	fb, err := client.NewFusebill(client.Options{BaseURL: baseURL, Key: key, Transport: transport, Governor: g})
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

// lookupAt asks a stand-in with a good key.
func lookupAt(t *testing.T, transport http.RoundTripper) *action.Lookup {
	t.Helper()
	return &action.Lookup{Fusebill: clientOf(t, transport, issuedKey, nil), Workers: 3}
}

// always is a server that gives one answer to everything.
type always struct {
	status int
	body   string
}

func (a always) RoundTrip(*http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}
