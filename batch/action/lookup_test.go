package action_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/client/sandbox"
	"rowbatch/mapping"
)

// finding looks references up and returns what was found for each row.
func finding(ctx context.Context, l *action.Lookup, refs ...string) (map[int]action.Found, error) {
	var mu sync.Mutex
	all := map[int]action.Found{}
	err := l.References(ctx, keysOf(refs), func(row int, f action.Found) {
		mu.Lock()
		defer mu.Unlock()
		all[row] = f
	})
	return all, err
}

// keysOf are references as keys.
func keysOf(refs []string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for row, ref := range refs {
			if !yield(row, "reference="+ref) {
				return
			}
		}
	}
}

func TestReferences(t *testing.T) {
	tests := []struct {
		name, ref, fault string
		id               uint64
		requests, status int
		kind             batch.Kind // "": the customer was found
		code, text       string
	}{
		{"found", "ac-1", "", 10, 1, 0, "", "", ""},
		{"found by a number", "40021", "", 7, 1, 0, "", "", ""},
		{"found though cancelled", "gone", "", 11, 1, 0, "", "", ""},
		{"none", "nobody", "", 0, 1, 200, batch.Rejected, "not_found", `no customer has the reference "nobody"`},
		{"none in these letters", "Ac-1", "", 0, 1, 200, batch.Rejected, "not_found", `"Ac-1"`},
		{"none with these zeros", "040021", "", 0, 1, 200, batch.Rejected, "not_found", `"040021"`},
		{"several", "AC-1", "", 0, 1, 200, batch.Rejected, "ambiguous_reference", `2 customers have the reference "AC-1": ids 8, 9`},
		{"cannot be asked for", "AC;1", "", 0, 0, 0, batch.Rejected, "bad_value", `"AC;1"`},
		{"a joker", "AC*", "", 0, 0, 0, batch.Rejected, "bad_value", "use the customer's id"},
		{"refused", "ac-1", "list:400", 0, 1, 400, batch.Rejected, "http_400", "refused with 400"},
		{"answered at last", "ac-1", "list:500:times=7", 10, 8, 0, "", "", ""},
		{"answered after a lost one", "ac-1", "list:truncated:at=1", 10, 2, 0, "", "", ""},
		{"throttled at first", "ac-1", "list:429:times=2", 10, 3, 0, "", "", ""},
		{"never answered", "ac-1", "list:503", 0, 8, 503, batch.NotAttempted, "server_unavailable", "503 Service Unavailable"},
		{"always lost", "ac-1", "list:lost-before", 0, 8, 0, batch.NotAttempted, "server_unavailable", "connection broke"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var faults []string
				if tt.fault != "" {
					faults = []string{tt.fault}
				}
				all, err := finding(t.Context(), lookupAt(t, stand(t, sandbox.Options{}, faults...).Transport()), tt.ref)
				f := all[0]
				if err != nil || f.Key != "reference="+tt.ref || f.ID != tt.id || f.Requests != tt.requests || (f.Out == nil) != (tt.kind == "") {
					t.Fatalf("%v, %+v, %+v", err, f, f.Out)
				}
				if f.Out == nil {
					return
				}
				if f.Out.Kind != tt.kind || f.Out.Code != tt.code || !strings.Contains(f.Out.Error, tt.text) || f.Out.HTTP != tt.status || f.Out.Requests != tt.requests {
					t.Errorf("%+v, want %s %s %q", f.Out, tt.kind, tt.code, tt.text)
				}
			})
		})
	}
}

// The reason for which a reference cannot be asked for must be one that it has.
func TestUnaskableReferenceIsExplained(t *testing.T) {
	for _, ref := range []string{"[empty]", " AC-1"} {
		all, err := finding(t.Context(), lookupAt(t, always{500, ""}), ref)
		if out := all[0].Out; err != nil || out == nil || out.Code != "bad_value" || strings.Contains(out.Error, "since it holds one of ; : , | *") {
			t.Errorf("%q: %v, %+v", ref, err, out)
		}
	}
}

func TestManyReferences(t *testing.T) {
	refs := []string{"40021", "ac-1", "nobody", "a:b", "AC-1", "gone", "40021"}
	all, err := finding(t.Context(), lookupAt(t, stand(t, sandbox.Options{}).Transport()), refs...)
	if err != nil || len(all) != len(refs) {
		t.Fatalf("%v, %d rows", err, len(all))
	}
	ids := map[int]uint64{}
	for row, f := range all {
		if f.Key != "reference="+refs[row] {
			t.Errorf("row %d is %q, not %q", row, f.Key, refs[row])
		}
		if f.Out == nil {
			ids[row] = f.ID
		}
	}
	if want := map[int]uint64{0: 7, 1: 10, 5: 11, 6: 7}; !maps.Equal(ids, want) {
		t.Errorf("ids %v, want %v", ids, want)
	}
}

// Without access no request makes sense, and no row is at fault.
func TestReferencesWithoutAccess(t *testing.T) {
	s := stand(t, sandbox.Options{})
	l := &action.Lookup{Fusebill: clientOf(t, s.Transport(), revokedKey, nil), Workers: 1}
	all, err := finding(t.Context(), l, "ac-1", "gone", "40021", "nobody", "x", "y")
	var access *client.AccessError
	if !errors.As(err, &access) || access.Status != http.StatusUnauthorized {
		t.Errorf("%v", err)
	}
	for row, f := range all {
		if f.ID != 0 || f.Out != nil {
			t.Errorf("row %d: %+v, %+v", row, f, f.Out)
		}
	}
	if n := s.Requests().Unauthorized; n > 2 { // one may be on its way when the first answer comes
		t.Errorf("%d requests with a refused key", n)
	}
}

// The day's limit ends the run as well: the rows are for another day.
func TestReferencesAtTheDaysLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t, sandbox.Options{Day: 2, Minute: 100})
		l := &action.Lookup{Fusebill: clientOf(t, s.Transport(), issuedKey, governor.New(governor.Limits{})), Workers: 1}
		all, err := finding(t.Context(), l, "ac-1", "gone", "40021", "nobody")
		var day *governor.DayLimitError
		if !errors.As(err, &day) || s.Requests().Throttled > 0 {
			t.Errorf("%v after %d 429s", err, s.Requests().Throttled)
		}
		if all[0].ID != 10 || all[1].ID != 11 || all[2].ID != 0 || all[2].Out != nil {
			t.Errorf("%+v", all)
		}
	})
}

func TestReferencesStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		l := lookupAt(t, stand(t, sandbox.Options{}, "list:500").Transport())
		all, _ := finding(ctx, l, "ac-1", "gone", "40021", "AC-1", "nobody")
		for row, f := range all {
			if f.ID != 0 || f.Out != nil {
				t.Errorf("row %d was settled though the run stopped: %+v, %+v", row, f, f.Out)
			}
		}
		if len(all) == 0 || len(all) == 5 {
			t.Errorf("%d rows began, with 3 workers and a second", len(all))
		}
	})
}

func uses(pairs ...string) (all []mapping.Use) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, mapping.Use{Family: "salesTrackingCode.", Member: pairs[i], Text: pairs[i+1]})
	}
	return all
}

// What the table of codes makes of a cell shows in the row's item.
func TestCodes(t *testing.T) {
	const one, two = "Sales Tracking Code 1", "Sales Tracking Code 2"
	tests := []struct {
		name, typ, code string
		want            string // raw value of the edit; "": rejected
		text            string
	}{
		{"known", one, "EMB", `"EMB"`, ""},
		{"known of a renamed type", two, "NORTH", `"NORTH"`, ""},
		{"known by the type's own name", "Region", "NORTH", `"NORTH"`, ""},
		{"unknown code", one, "NORTH", "", "SalesTrackingCode with code NORTH not found."},
		{"unknown type", "Sales Tracking Code 6", "EMB", "", "Unknown sales tracking code type Sales Tracking Code 6. Valid types are: " + one + ", Region"},
	}
	var all []mapping.Use
	for _, tt := range tests {
		all = append(all, uses(tt.typ, tt.code)...)
	}
	l := lookupAt(t, stand(t, sandbox.Options{}).Transport())
	codes, err := l.Codes(t.Context(), all)
	if requests := l.Fusebill.Requests(); err != nil || requests != len(tests) {
		t.Fatalf("%v after %d requests", err, requests)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it := itemWith(t, codes, tt.typ, tt.code)
			switch {
			case tt.want == "" && (it.Out == nil || it.Out.Code != "unknown_tracking_code" || !strings.Contains(it.Out.Error, tt.text)):
				t.Errorf("%+v", it.Out)
			case tt.want != "" && (it.Out != nil || len(it.Edits) != 1 || it.Edits[0].Want != batch.Value(tt.want)):
				t.Errorf("%+v, %v", it.Out, it.Edits)
			}
		})
	}
}

func itemWith(t *testing.T, codes *action.TrackingCodes, typ, code string) *batch.Item {
	t.Helper()
	return updateItem(mapping.Mapped{KeyField: "id", Key: "7", Cells: []mapping.Cell{cell(t, "salesTrackingCode."+typ, code)}}, action.Context{Codes: codes})
}

// A server that does not know the call leaves the names as the file gives them.
func TestCodesOfAServerWithoutTheCall(t *testing.T) {
	l := lookupAt(t, always{404, `{"Message":"No HTTP resource was found that matches the request URI."}`})
	codes, err := l.Codes(t.Context(), uses("Region", "EAST", "Region", "WEST"))
	if requests := l.Fusebill.Requests(); err != nil || requests != 1 {
		t.Errorf("%v after %d requests", err, requests)
	}
	if it := itemWith(t, codes, "Region", "EAST"); it.Out != nil || it.Edits[0].Want != `"EAST"` {
		t.Errorf("%+v, %v", it.Out, it.Edits)
	}
}

// An answer about another code, or about none, must not decide what a row writes.
func TestCodesOfAnAnswerThatIsNone(t *testing.T) {
	for _, body := range []string{`{}`, `{"type":null,"code":null}`, `{"type":"Region"}`, `{"type":"Region","code":""}`, `{"type":"Region","code":"WEST"}`} {
		codes, err := lookupAt(t, always{200, body}).Codes(t.Context(), uses("Region", "EAST"))
		if err != nil {
			continue // the run has not begun
		}
		it := itemWith(t, codes, "Region", "EAST")
		if it.Out != nil {
			continue
		}
		step, out := action.NewUpdate(action.Services{Codes: codes}).Decide(it, active(`,"customerReference":{"salesTrackingCodes":[]}`))
		if want := string(active(`,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST"}]}`).Body); string(step.Body) != want {
			t.Errorf("%s: for EAST the row writes %s, %+v", body, step.Body, out)
		}
	}
}

func TestCodesThatCannotBeLookedUp(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name, fault string
		key         client.Secret
		stopped     bool
		requests    int
		text        string
	}{
		{"no access", "codes:409", revokedKey, false, 1, "refused with 401"},
		{"no answer", "codes:500", issuedKey, false, 8, `the sales tracking code "EMB" could not be looked up: the server answered 500`},
		{"stopped", "codes:500", issuedKey, true, 0, "context canceled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.stopped {
					ctx = ended
				}
				l := &action.Lookup{Fusebill: clientOf(t, stand(t, sandbox.Options{}, tt.fault).Transport(), tt.key, nil), Workers: 1}
				_, err := l.Codes(ctx, uses("Sales Tracking Code 1", "EMB", "Region", "EAST"))
				if requests := l.Fusebill.Requests(); err == nil || !strings.Contains(err.Error(), tt.text) || requests != tt.requests {
					t.Errorf("%v after %d requests, want %q", err, requests, tt.text)
				}
			})
		})
	}
}
