package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
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
		slot         int
		code, name   string
		status, mail string
	}{
		{0, "EMB", "Ember team", "Active", "ember@example.com"},
		{0, "FRO", "Frost team", "Active", ""},
		{0, "TID", "Tide team", "Active", ""},
		{0, "OLD", "Old guard", "Retired", ""},
		{1, "NORTH", "North", "Active", "north@example.com"},
		{1, "EAST", "East", "Active", ""},
		{1, "SOUTH", "South", "Active", ""},
		{1, "WEST", "West", "Active", ""},
		{2, "WEB", "Website", "Active", ""},
		{2, "FAIR", "Trade fair", "Active", ""},
		{3, "Q1-26", "First quarter", "Active", ""},
		{4, "VIP", "Key account", "Active", "care@example.com"},
	} {
		id := 4410 + i
		a.codes = append(a.codes, trackingCode{
			Type: a.types[c.slot].present, Code: c.code, Name: c.name, Status: c.status, Email: orNull(c.mail),
			ID: id, URI: fmt.Sprintf("https://secure.fusebill.com/v1/SalesTrackingCodes/%d", id),
		})
	}
	return a
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
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

// getTrackingCode is developer.staxbill.com/reference/ready-by-type-and-code.
// What an unknown code gets is not shown there; 404 in the shape of the other pages.
func (s *Sandbox) getTrackingCode(c *call) *reply {
	typ, problem := s.account.typeName(c.params.Get("type"))
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	found, ok := s.account.code(typ, c.params.Get("code"))
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("SalesTrackingCode with code %s not found.", c.params.Get("code")))
	}
	return answer(encode(found))
}
