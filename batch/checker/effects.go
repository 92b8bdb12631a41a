package checker

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/client/sandbox"
)

// effect is a write of the ledger that an intent accounts for.
type effect struct {
	*sandbox.Effect
	taken bool // the record shows all that was asked for
}

// effectKinds are what the writes of an action leave on the ledger.
func effectKinds(act string) []string {
	return map[string][]string{"update": {"put"}, "hold": {"hold"}, "unhold": {"unhold"}, "latch": {"latch", "unlatch"}, "patch": {"patch"}}[act]
}

// taken says that the effect is that of the intent.
func taken(i *record, e *sandbox.Effect) bool {
	switch i.Found.Act {
	case "unhold":
		return gjson.GetBytes(e.After, "status").Str != "Hold"
	case "hold":
		return gjson.GetBytes(e.After, "status").Str == "Hold"
	}
	return shows(e.After, i.Changes)
}

// attribute finds for each effect the intent that it is of: a customer's effects
// come in the order of its intents, and none before its own.
func (k *check) attribute() {
	ours := k.Ledger.ours()
	intents := map[string][]*record{}
	names := subscriptions(ours)
	for i := range k.Run.records {
		r := &k.Run.records[i]
		if r.isIntent() {
			r.effects = nil // of an earlier check of the same run
			r.customer = customerOf(r, names)
			intents[r.customer] = append(intents[r.customer], r)
		}
	}
	for customer, effects := range ours {
		limit := len(intents[customer])
		for _, e := range slices.Backward(effects) {
			at := find(intents[customer][:limit], e)
			if at < 0 {
				k.stray(intents[customer], e)
				continue
			}
			i := intents[customer][at]
			i.effects = append(i.effects, &effect{e, taken(i, e)})
			limit = at
		}
	}
}

// find returns the last intent that can be the effect's, those first whose values
// it shows; -1 for none.
func find(intents []*record, e *sandbox.Effect) int {
	at := -1
	for n, i := range slices.Backward(intents) {
		if !slices.Contains(effectKinds(i.Found.Act), e.Kind) || i.At.After(e.At) {
			continue
		}
		if taken(i, e) {
			return n
		}
		at = max(at, n)
	}
	return at
}

// stray reports an effect that no intent is left for.
func (k *check) stray(intents []*record, e *sandbox.Effect) {
	for _, i := range intents {
		if len(i.effects) > 0 && slices.Contains(effectKinds(i.Found.Act), e.Kind) && !i.At.After(e.At) {
			k.add(3, "%s: effect %d (%s) on customer %s is one more than there are intents", k.Run.line(i.Row), e.Seq, e.Kind, e.ID)
			return
		}
	}
	k.add(4, "effect %d (%s) on customer %s has no earlier intent", e.Seq, e.Kind, e.ID)
}

// subscriptions tells the ledger's ids of Trackfinity's customers by their subscriptions.
func subscriptions(effects map[string][]*sandbox.Effect) map[string]string {
	ids := map[string]string{}
	for id, all := range effects {
		if s := gjson.GetBytes(all[0].Before, "subscription_id"); s.Exists() {
			ids["subscription_id="+s.String()] = id
		}
	}
	return ids
}

// customerOf is whom a write is about, as the ledger names him.
func customerOf(i *record, subscriptions map[string]string) string {
	if i.Found.Act != "patch" {
		return i.Found.ID
	}
	if number, ok := strings.CutPrefix(i.Found.Key, "customer_id="); ok {
		return "tf:" + number
	}
	return subscriptions[i.Found.Key]
}

// contents looks at what each effect moved.
func (k *check) contents() {
	for i := range k.Run.records {
		r := &k.Run.records[i]
		for _, e := range r.effects {
			if o := k.Run.Outcomes[r.Row]; o.Code != "side_effect" {
				k.contained(r, e)
			}
		}
	}
}

func (k *check) contained(i *record, e *effect) {
	changes := i.Changes
	if i.Found.Act == "hold" || i.Found.Act == "unhold" {
		changes = []batch.Change{{Field: "status"}}
	}
	for _, name := range moved(e.Before, e.After, changes) {
		link := i.Found.Act == "latch" && (name == "hubSpotId" || name == "hubSpotCompanyId")
		if link && valueOf(e.Before, name).Empty() && valueOf(e.After, name).Empty() {
			continue // a record that had no place for it
		}
		if link || i.Found.Act == "update" && name == "status" {
			k.add(6, "%s: effect %d moved %s, which the row does not name, from %s to %s", k.Run.line(i.Row), e.Seq, name, valueOf(e.Before, name), valueOf(e.After, name))
			continue
		}
		k.add(5, "%s: effect %d moved %s, which the row does not name, from %s to %s", k.Run.line(i.Row), e.Seq, name, valueOf(e.Before, name), valueOf(e.After, name))
	}
	if i.Found.Act == "update" && valueOf(e.After, "status") != valueOf(i.Found.Body, "status") {
		k.add(6, "%s: the PUT of effect %d left the status %s, and the read before it showed %s", k.Run.line(i.Row), e.Seq, valueOf(e.After, "status"), valueOf(i.Found.Body, "status"))
	}
}
