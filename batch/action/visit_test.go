package action_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/client/sandbox"
	"rowbatch/mapping"
)

func accountAt(t *testing.T, s *sandbox.Sandbox, key client.Secret) action.Fusebill {
	t.Helper()
	g := governor.New(governor.Limits{})
	return action.Fusebill{Client: clientOf(t, s.Transport(), key, g), Governor: g}
}

// What one attempt means, in the engine's words.
func TestVisit(t *testing.T) {
	tests := []struct {
		name, id, fault string
		key             client.Secret
		write           string // the body of a PUT; "": a read
		want            batch.Class
		status          int
		code, text      string
	}{
		{"read", "7", "", issuedKey, "", batch.Answered, 200, "", ""},
		{"read of nobody", "99", "", issuedKey, "", batch.Refused, 404, "not_found", "Customer with id 99 not found."},
		{"read refused", "7", "get:400", issuedKey, "", batch.Refused, 400, "http_400", "refused with 400"},
		{"read throttled", "7", "get:429", issuedKey, "", batch.Throttled, 429, "", "limit is used up"},
		{"read lost", "7", "get:lost-after", issuedKey, "", batch.Lost, 0, "", "connection broke"},
		{"read of another", "7", "get:wrong-id", issuedKey, "", batch.Lost, 200, "", "another answer came"},
		{"read without access", "7", "", revokedKey, "", batch.Fatal, 401, "", "try: check that the key"},
		{"write", "7", "", issuedKey, `{"id":7,"status":"Active","currency":"USD","lastName":"Holm"}`, batch.Answered, 200, "", ""},
		{"write refused", "7", "", issuedKey, `{"id":7,"lastName":"Holm"}`, batch.Refused, 400, "http_400", "status is required."},
		{"write conflicting", "11", "", issuedKey, `{"id":11,"status":"Cancelled","currency":"USD"}`, batch.Refused, 409, "http_409", "cannot be modified"},
		{"write to nobody", "99", "", issuedKey, `{"id":99,"status":"Active"}`, batch.Refused, 404, "http_404", "not found"},
		{"write without an id", "7", "", issuedKey, `{"status":"Active"}`, batch.Refused, 0, "unreadable_record", "by hand"},
		{"write lost", "7", "put:500-after", issuedKey, `{"id":7,"status":"Active","currency":"USD"}`, batch.Lost, 500, "", "answered 500"},
		{"write elsewhere", "7", "put:redirect", issuedKey, `{"id":7,"status":"Active","currency":"USD"}`, batch.Fatal, 302, "", "not followed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var faults []string
			if tt.fault != "" {
				faults = []string{tt.fault}
			}
			s := stand(t, sandbox.Options{}, faults...)
			rep := once(t, accountAt(t, s, tt.key), tt.id, tt.write)
			if rep.Class != tt.want || rep.Status != tt.status || rep.Code != tt.code || !strings.Contains(rep.Text, tt.text) {
				t.Errorf("%+v, want class %d, %d %s %q", rep, tt.want, tt.status, tt.code, tt.text)
			}
			if (rep.Err != nil) != (tt.want != batch.Answered) || (rep.Record.Body != nil) != (tt.want == batch.Answered) {
				t.Errorf("error %v with record %s", rep.Err, rep.Record.Body)
			}
		})
	}
}

func once(t *testing.T, account action.Fusebill, id, body string) batch.Reply {
	t.Helper()
	v, err := action.NewUpdate(action.Services{Fusebill: account, Codes: action.NewTrackingCodes()}).Open(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if body == "" {
		return v.Read(t.Context(), id)
	}
	return v.Send(t.Context(), batch.Step{Body: []byte(body)})
}

func TestVisitReadsTheRecord(t *testing.T) {
	s := stand(t, sandbox.Options{})
	for id, name := range map[string]string{"7": "Northlight Ltd", "8": "Bo Lund", "9": "Holm"} {
		rec := once(t, accountAt(t, s, issuedKey), id, "").Record
		if live, _ := s.Customer(id); rec.ID != id || rec.Name != name || rec.Status != "Active" || string(rec.Body) != string(live) {
			t.Errorf("%+v, %s", rec, rec.Body)
		}
	}
	if rec := once(t, accountAt(t, s, issuedKey), "7", "").Record; rec.Modified != "2025-01-02T03:04:05.1234567Z" {
		t.Errorf("modified %q", rec.Modified)
	}
}

// A record that holds a key twice is refused, since an edit could reach either.
func TestVisitRefusesADoubledKey(t *testing.T) {
	account := action.Fusebill{Client: clientOf(t, always{200, `{"id":7,"status":"Active","lastName":"a","lastName":"b"}`}, issuedKey, nil), Governor: governor.New(governor.Limits{})}
	if rep := once(t, account, "7", ""); rep.Class != batch.Refused || rep.Code != "unreadable_record" || !strings.Contains(rep.Text, `"lastName" twice`) {
		t.Errorf("%+v", rep)
	}
}

// A visit's requests are leased together, and only a read-back draws on what is kept for others.
func TestVisitLeasesItsRequests(t *testing.T) {
	s := stand(t, sandbox.Options{Day: 4})
	g := governor.New(governor.Limits{Reserve: 0.25}) // 3 requests a day
	account := action.Fusebill{Client: clientOf(t, s.Transport(), issuedKey, g), Governor: g}
	once(t, account, "7", "")
	once(t, account, "7", "")
	tests := []struct {
		name     string
		requests int
		readBack bool
		granted  bool
	}{
		{"two of the one that is left", 2, false, false},
		{"the one that is left", 1, false, true},
		{"the same, which was given back", 1, false, true},
		{"two of the day's, for a read-back", 2, true, true},
		{"more than the day has", 3, true, false},
	}
	for _, tt := range tests {
		var sent []batch.Change
		if tt.readBack {
			sent = []batch.Change{{Field: "lastName"}}
		}
		v, err := action.NewUpdate(action.Services{Fusebill: account, Codes: action.NewTrackingCodes()}).Open(t.Context(), tt.requests, sent)
		var day *governor.DayLimitError
		if tt.granted != (err == nil) || err != nil && !errors.As(err, &day) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			v.Close()
		}
	}
}

// Each field of the table is taken by the API as the table writes it, set and cleared, and nothing else moves.
func TestEachFieldOnItsWay(t *testing.T) {
	values := map[mapping.Kind]string{mapping.Text: "new", mapping.Digits: "8", mapping.Email: "new@example.com; more@example.com",
		mapping.Phone: "+1 555 0199", mapping.Reference: "NEW-1"}
	for _, f := range action.UpdateSchema().Fields {
		c := mapping.Cell{Field: &f, Name: f.Name, Text: values[f.Kind]}
		if f.Family {
			c.Name, c.Text = f.Name+"Sales Tracking Code 2", "EAST"
		}
		if f.Kind == mapping.Enum {
			c.Text = f.Enum[0]
		}
		t.Run(c.Name, func(t *testing.T) {
			s := stand(t, sandbox.Options{})
			account := accountAt(t, s, issuedKey)
			carriedOut(t, account, c)
			c.Clear = true
			carriedOut(t, account, c)
			if n := len(s.Effects()); n != 2 {
				t.Errorf("%d effects", n)
			}
		})
	}
}

// carriedOut reads customer 7, sets one cell, and holds the reply against it.
func carriedOut(t *testing.T, account action.Fusebill, c mapping.Cell) {
	t.Helper()
	codes := action.NewTrackingCodes()
	codes.Known("Sales Tracking Code 2", "EAST", "Region", "EAST")
	update := action.NewUpdate(action.Services{Fusebill: account, Codes: codes})
	it := updateItem(mapping.Mapped{KeyField: "id", Key: "7", Cells: []mapping.Cell{c}}, action.Context{Codes: codes})
	step, out := update.Decide(it, once(t, account, "7", "").Record)
	if out != nil {
		t.Fatalf("%+v", out)
	}
	rep := once(t, account, "7", string(step.Body))
	if rep.Class != batch.Answered {
		t.Fatal(rep.Text)
	}
	if out := update.Check(step, rep.Record); out != nil {
		t.Errorf("cleared %v: %s %s", c.Clear, out.Code, out.Error)
	}
	if v := update.Settle(step.Changes, rep.Record); v != batch.TookEffect {
		t.Errorf("cleared %v: verdict %d", c.Clear, v)
	}
}

// Around the first write an update reads the overview and a hold the customer, and
// nothing may move there that the write does not account for.
func TestWhatStandsBesideTheRecord(t *testing.T) {
	s := stand(t, sandbox.Options{})
	account := action.Services{Fusebill: accountAt(t, s, issuedKey), Codes: action.NewTrackingCodes()}
	for _, tt := range []struct {
		act           batch.Action
		shows         string // a key of what is read
		changed       string
		before, after string // members
		want          string
	}{
		{action.NewUpdate(account), "arBalance", "firstName", `"firstName":"a","geotabId":"g"`, `"firstName":"b","geotabId":"g"`, ""},
		{action.NewUpdate(account), "arBalance", "firstName", `"geotabId":"g"`, `"geotabId":null`, `geotabId went from "g" to ""`},
		{action.NewUpdate(account), "arBalance", "parentId", `"parentId":1,"parentName":"x"`, `"parentId":2,"parentName":"y"`, ""},
		{action.NewUpdate(account), "arBalance", "firstName", `"parentName":"x"`, `"parentName":"y"`, "parentName"},
		{action.NewUpdate(account), "arBalance", "quickBooksId", `"quickbooksId":"1"`, `"quickbooksId":"2"`, ""},
		{action.NewUpdate(account), "arBalance", "firstName", `"status":"Active"`, `"status":"Hold"`, "status"},
		{action.NewLatch(account), "arBalance", "hubSpotId", `"hubSpotId":1,"hubSpotCompanyId":2`, `"hubSpotId":3,"hubSpotCompanyId":2`, ""},
		{action.NewLatch(account), "arBalance", "hubSpotId", `"salesforceId":"s"`, `"salesforceId":""`, "salesforceId"},
		{action.NewHold(account), "crmRecordId", "status", `"status":"Active","modifiedTimestamp":"1"`, `"status":"Hold","modifiedTimestamp":"2"`, ""},
		{action.NewHold(account), "crmRecordId", "status", `"reference":"r"`, `"reference":null`, `reference went from "r" to ""`},
		{action.NewUnhold(account, "x"), "crmRecordId", "status", `"reference":"r"`, `"reference":"q"`, "reference"},
	} {
		v, err := tt.act.Open(t.Context(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		canary := v.(batch.Beside)
		if rep := canary.ReadBeside(t.Context(), "7"); rep.Class != batch.Answered || !gjson.GetBytes(rep.Record.Body, tt.shows).Exists() {
			t.Errorf("%s: %s", tt.act.Name(), rep.Record.Body)
		}
		v.Close()
		step := batch.Step{Changes: []batch.Change{{Field: tt.changed}}}
		code := ""
		if tt.want != "" {
			code = "side_effect"
		}
		judged(t, canary.CheckBeside(step, recordOf("{"+tt.before+"}"), recordOf("{"+tt.after+"}")), code, tt.want)
	}
}
