package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// account holds the settings that customers refer to.
type account struct {
	types []codeType
	codes []trackingCode
}

// codeType is one of the five categories; calls accept either name, replies carry the present one
// (developer.staxbill.com/reference/sales-tracking-code-object).
type codeType struct{ byDefault, present string }

type trackingCode struct {
	Type        string  `json:"type"`
	Code        string  `json:"code"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Email       *string `json:"email"`
	Status      string  `json:"status"`
	Deletable   bool    `json:"deletable"`
	ID          int     `json:"id"`
	URI         string  `json:"uri"`
}

func newAccount() account {
	a := account{}
	for i := range 5 {
		name := fmt.Sprintf("Sales Tracking Code %d", i+1)
		a.types = append(a.types, codeType{name, name})
	}
	a.types[1].present = "Region"
	for i, c := range []struct {
		slot               int
		code, name, status string
		mail               *string
	}{
		{0, "EMB", "Ember team", "Active", new("ember@example.com")},
		{0, "FRO", "Frost team", "Active", nil},
		{0, "TID", "Tide team", "Active", nil},
		{0, "OLD", "Old guard", "Retired", nil},
		{1, "NORTH", "North", "Active", new("north@example.com")},
		{1, "EAST", "East", "Active", nil},
		{1, "SOUTH", "South", "Active", nil},
		{1, "WEST", "West", "Active", nil},
		{2, "WEB", "Website", "Active", nil},
		{2, "FAIR", "Trade fair", "Active", nil},
		{3, "Q1-26", "First quarter", "Active", nil},
		{4, "VIP", "Key account", "Active", new("care@example.com")},
	} {
		id := 4410 + i
		a.codes = append(a.codes, trackingCode{
			Type: a.types[c.slot].present, Code: c.code, Name: c.name, Status: c.status, Email: c.mail,
			ID: id, URI: fmt.Sprintf("https://secure.fusebill.com/v1/SalesTrackingCodes/%d", id),
		})
	}
	return a
}

// typeName returns the present name of a type given by either of its names, or what the API says of an unknown one.
func (a account) typeName(given string) (name, problem string) {
	i := slices.IndexFunc(a.types, func(t codeType) bool { return given == t.byDefault || given == t.present })
	if i >= 0 {
		return a.types[i].present, ""
	}
	var names []string
	for _, t := range a.types {
		names = append(names, t.present)
	}
	return "", fmt.Sprintf("Unknown sales tracking code type %s. Valid types are: %s", given, strings.Join(names, ", "))
}

func (a account) code(typ, code string) (trackingCode, bool) {
	i := slices.IndexFunc(a.codes, func(c trackingCode) bool { return c.Type == typ && c.Code == code })
	if i < 0 {
		return trackingCode{}, false
	}
	return a.codes[i], true
}

// checkReference looks at customerReference. That a tracking code must exist is
// documented for the bulk import only; that a type holds one code, and that a
// retired one cannot be given anew, is the harsher guess.
func (a account) checkReference(stored, body object) []string {
	problems := checkNested(body, "customerReference", referenceKeys())
	if problems != nil {
		return problems
	}
	sent := gjson.Get(body.raw("customerReference"), "salesTrackingCodes")
	if sent.Exists() && sent.Type != gjson.Null && !sent.IsArray() {
		return []string{"customerReference.salesTrackingCodes must be a list."}
	}
	held := gjson.Get(stored.raw("customerReference"), "salesTrackingCodes")
	var taken []string
	for _, e := range sent.Array() {
		typ, problem := a.checkEntry(e, held)
		if problem == "" && slices.Contains(taken, typ) {
			problem = fmt.Sprintf("customerReference.salesTrackingCodes holds several codes of type %s.", typ)
		}
		if problem != "" {
			problems = append(problems, problem)
		}
		taken = append(taken, typ)
	}
	return problems
}

func (a account) checkEntry(e, held gjson.Result) (typ, problem string) {
	typ, problem = a.typeName(e.Get("type").String())
	if problem != "" {
		return typ, problem
	}
	if _, ok := a.heldEntry(held, typ, e.Get("code").String()); ok {
		return typ, ""
	}
	code, known := a.code(typ, e.Get("code").String())
	switch {
	case !known:
		return typ, fmt.Sprintf("Unknown sales tracking code %s of type %s.", e.Get("code").String(), typ)
	case code.Status != "Active":
		return typ, fmt.Sprintf("Sales tracking code %s of type %s is retired.", code.Code, typ)
	}
	return typ, ""
}

// heldEntry returns the stored bytes of the entry with this type and code.
func (a account) heldEntry(held gjson.Result, typ, code string) (string, bool) {
	for _, h := range held.Array() {
		if name, _ := a.typeName(h.Get("type").String()); name == typ && h.Get("code").String() == code {
			return h.Raw, true
		}
	}
	return "", false
}

// mergeReference is the customerReference that a PUT leaves. A tracking code is
// stored in the bytes held already, or as what the account knows of the type and
// code that were sent.
func (a account) mergeReference(customer object, stored, sent string) string {
	merged := mergeNested(customer, stored, sent, referenceKeys())
	to, err := parseObject([]byte(merged))
	if err != nil {
		return merged // null over null
	}
	held := gjson.Parse(to.raw("salesTrackingCodes"))
	var entries []string
	for _, e := range gjson.Get(sent, "salesTrackingCodes").Array() {
		typ, _ := a.typeName(e.Get("type").String())
		raw, ok := a.heldEntry(held, typ, e.Get("code").String())
		if !ok {
			code, _ := a.code(typ, e.Get("code").String()) // checkEntry has seen to it
			raw = string(encode(struct {
				Type string `json:"type"`
				Code string `json:"code"`
				Name string `json:"name"`
				ID   int    `json:"id"`
				URI  string `json:"uri"`
			}{code.Type, code.Code, code.Name, code.ID, code.URI}))
		}
		entries = append(entries, raw)
	}
	list := "[" + strings.Join(entries, ",") + "]"
	return string(to.set("salesTrackingCodes", take(held.Raw, list)).bytes())
}

// getTrackingCode is developer.staxbill.com/reference/ready-by-type-and-code.
// What an unknown code gets is not shown there; 404 in the shape of the other pages.
func getTrackingCode(c *call) *reply {
	typ, problem := c.box.account.typeName(c.params.Get("type"))
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	found, ok := c.box.account.code(typ, c.params.Get("code"))
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("SalesTrackingCode with code %s not found.", c.params.Get("code")))
	}
	return answer(encode(found))
}
