package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// checkReference looks at customerReference. That a tracking code must exist is
// documented for the bulk import only; that a type holds one code, and that a
// retired one cannot be given anew, is the harsher guess.
func (s *Sandbox) checkReference(stored, body object) []string {
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
		typ, problem := s.checkEntry(e, held)
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

func (s *Sandbox) checkEntry(e, held gjson.Result) (typ, problem string) {
	typ, problem = s.account.typeName(e.Get("type").String())
	if problem != "" {
		return typ, problem
	}
	if _, ok := s.heldEntry(held, typ, e.Get("code").String()); ok {
		return typ, ""
	}
	code, known := s.account.code(typ, e.Get("code").String())
	switch {
	case !known:
		return typ, fmt.Sprintf("Unknown sales tracking code %s of type %s.", e.Get("code").String(), typ)
	case code.Status != "Active":
		return typ, fmt.Sprintf("Sales tracking code %s of type %s is retired.", code.Code, typ)
	}
	return typ, ""
}

// heldEntry returns the stored bytes of the entry with this type and code.
func (s *Sandbox) heldEntry(held gjson.Result, typ, code string) (string, bool) {
	for _, h := range held.Array() {
		if name, _ := s.account.typeName(h.Get("type").String()); name == typ && h.Get("code").String() == code {
			return h.Raw, true
		}
	}
	return "", false
}

func (s *Sandbox) mergeReference(customer object, stored, sent string) string {
	merged := mergeNested(customer, stored, sent, referenceKeys())
	to, err := parseObject([]byte(merged))
	if err != nil {
		return merged // null over null
	}
	held := gjson.Parse(to.raw("salesTrackingCodes"))
	var entries []string
	for _, e := range gjson.Get(sent, "salesTrackingCodes").Array() {
		entries = append(entries, s.entry(e, held))
	}
	list := "[" + strings.Join(entries, ",") + "]"
	return string(to.set("salesTrackingCodes", take(held.Raw, list)).bytes())
}

// entry is a tracking code as stored: the bytes held already, or what the
// account knows of the type and code that were sent.
func (s *Sandbox) entry(e, held gjson.Result) string {
	typ, _ := s.account.typeName(e.Get("type").String())
	if raw, ok := s.heldEntry(held, typ, e.Get("code").String()); ok {
		return raw
	}
	code, _ := s.account.code(typ, e.Get("code").String()) // checkEntry has seen to it
	return string(encode(struct {
		Type string `json:"type"`
		Code string `json:"code"`
		Name string `json:"name"`
		ID   int    `json:"id"`
		URI  string `json:"uri"`
	}{code.Type, code.Code, code.Name, code.ID, code.URI}))
}
