package action

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// termKind is what a part of a condition is, in the words of its messages.
type termKind string

const (
	textTerm   termKind = "text"
	numberTerm termKind = "a number"
	flagTerm   termKind = "true or false"
	badTerm    termKind = "refused"
)

// customerTerms are the fields of a customer
// (developer.staxbill.com/reference/customer-object). Ids are texts, since they
// exceed what a float64 tells apart; so are fields whose form is not documented.
func customerTerms() map[string]termKind {
	return terms(`id uri firstName middleName lastName companyName suffix title primaryEmail secondaryEmail primaryPhone secondaryPhone
		reference status customerAccountStatus currency parentId portalUserName
		customerReference.reference1 customerReference.reference2 customerReference.reference3
		customerAcquisition.adContent customerAcquisition.campaign customerAcquisition.keyword
		customerAcquisition.landingPage customerAcquisition.medium customerAcquisition.source
		quickBooksLatchType quickBooksId quickBooksSyncToken hubSpotId hubSpotCompanyId geotabId salesforceId salesforceAccountType
		salesforceSynchStatus netsuiteId netsuiteSynchStatus netsuiteCustomerType digitalRiverId
		requiresProjectedInvoiceGeneration requiresFinancialCalendarGeneration modifiedTimestamp createdTimestamp`,
		"monthlyRecurringRevenue netMonthlyRecurringRevenue", "isParent canChangeCurrency")
}

// overviewTerms are the fields of a customer's overview
// (developer.staxbill.com/reference/read-customer-overview-1).
func overviewTerms() map[string]termKind {
	return terms(`id uri title firstName middleName lastName suffix primaryEmail primaryPhone companyName reference
		status customerAccountStatus currency parentId parentName salesforceSynchStatus unknownPaymentActivityId
		hubSpotId hubSpotCompanyId salesforceId quickbooksId netsuiteId geotabId
		createdTimestamp statusTimestamp customerAccountStatusTimestamp nextBillingDate`,
		`pendingCharges arBalance unallocatedPayments unallocatedCredits unallocatedOpeningBalance lifetimeValue
		monthlyRecurringRevenue netMonthlyRecurringRevenue daysUntilSuspension daysUntilCancellation`, "isParent")
}

func terms(texts, numbers, flags string) map[string]termKind {
	all := map[string]termKind{}
	for kind, names := range map[termKind]string{textTerm: texts, numberTerm: numbers, flagTerm: flags} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}

// termKindOf returns "" for a name that is not known. A tracking code may be of any type.
func termKindOf(known map[string]termKind, name string) termKind {
	if _, tracking := trackingType(name); tracking {
		return textTerm
	}
	return known[name]
}

// termName returns the name that an identifier or a member of one spells.
func termName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		group, named := n.Node.(*ast.IdentifierNode)
		member, constant := n.Property.(*ast.StringNode)
		if named && constant {
			return group.Value + "." + member.Value
		}
	}
	return ""
}

// spellings are the values of a field for which the vendor's pages name them
// all. A != with any other would hold for every customer.
func spellings(field string) []string {
	return map[string][]string{
		"status":                {"Draft", "Active", "Hold", "Suspended", "Cancelled"},
		"customerAccountStatus": {"Good", "PoorStanding", "Collection"},
	}[field]
}

// conditionFunctions are the functions of one text that a condition may call,
// and what they give. None reads a clock, and none makes much out of little.
func conditionFunctions() map[string]termKind {
	return map[string]termKind{"lower": textTerm, "upper": textTerm, "trim": textTerm, "len": numberTerm}
}

// liveRecord reads the fields of a condition, each when the evaluation gets to it.
type liveRecord struct{ body []byte }

// field returns a field's value; of a parent that is absent or null it is absent.
func (r liveRecord) field(name string) (gjson.Result, error) {
	parent, child, nested := strings.Cut(name, ".")
	v := gjson.GetBytes(r.body, parent)
	switch {
	case !nested:
		return v, nil
	case v.IsObject():
		return v.Get(child), nil
	case v.Type == gjson.Null:
		return gjson.Result{}, nil
	}
	return v, fmt.Errorf("%s is no object in the record", parent)
}

// null tells null, absent and absent with its parent from everything else.
func (r liveRecord) null(name string) (bool, error) {
	v, err := r.field(name)
	return v.Type == gjson.Null, err
}

// text returns a field as text, numbers as the record spells them. An object or
// list in the place of a text says nothing that a condition could rely on.
func (r liveRecord) text(name string) (string, error) {
	v, err := r.field(name)
	if typ, tracking := trackingType(name); tracking {
		v, err = r.trackingCode(typ)
	}
	if err == nil && v.Type == gjson.JSON {
		err = fmt.Errorf("%s is no text in the record", name)
	}
	return batch.Value(v.Raw).Plain(), err
}

// trackingCode returns the one code of a type. Records show types under the
// names that the account gave them: where one of those may be the type that is
// meant, it is not known that there is no code.
func (r liveRecord) trackingCode(typ string) (code gjson.Result, err error) {
	list, err := r.field(trackingList)
	if err != nil || list.Type == gjson.Null {
		return code, err
	}
	if !list.IsArray() {
		return code, errors.New(trackingList + " is no list in the record")
	}
	codes, found := NewTrackingCodes(), 0
	for _, entry := range list.Array() {
		if codes.matches(entry, typ) {
			code = entry.Get("code")
			found++
		}
	}
	if found > 1 {
		return code, fmt.Errorf("%s holds the type %q twice", trackingList, typ)
	}
	if own, is := codes.ambiguous(customer{r.body, codes}, typ); is && found == 0 {
		return code, fmt.Errorf("the record has a code of type %q, which may be the account's name for %q; use the account's names", own, typ)
	}
	return code, nil
}

// number returns an amount or a count, which may stand as a JSON string.
func (r liveRecord) number(name string) (float64, error) {
	v, err := r.field(name)
	digits := batch.Value(v.Raw).Plain()
	amount, bad := strconv.ParseFloat(digits, 64)
	switch {
	case err != nil:
		return 0, err
	case v.Type == gjson.Null:
		return 0, fmt.Errorf("%s is null", name)
	case bad != nil || !gjson.Valid(digits): // ParseFloat also takes Inf and 0x1p4
		return 0, fmt.Errorf("%s is %s, which is no number", name, v.Raw)
	case !exact(amount, digits):
		return 0, fmt.Errorf("%s is %s, which has more digits than can be compared", name, digits)
	}
	return amount, nil
}

func (r liveRecord) flag(name string) (bool, error) {
	v, err := r.field(name)
	switch {
	case err != nil:
		return false, err
	case v.Type == gjson.Null:
		return false, fmt.Errorf("%s is null", name)
	case !v.IsBool():
		return false, fmt.Errorf("%s is %s, which is neither true nor false", name, v.Raw)
	}
	return v.Bool(), nil
}

// mostDigits is how long decimals may be to survive being a float64 unchanged.
const mostDigits = 15

// exact says that a float64 stands for the number that its digits spell.
func exact(amount float64, digits string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(digits), "e")
	significant := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	return len(significant) <= mostDigits && math.Abs(amount) < 1e15 && (amount != 0 || significant == "")
}

// reckon adds texts, and reckons with numbers as decimals: as float64s, 0.1 + 0.2
// would be more than 0.3, and a customer would be held for it.
func reckon(operator string, a, b any) (any, error) {
	left, isText := a.(string)
	if right, too := b.(string); isText && too {
		return left + right, nil
	}
	x, y, z := decimal(a), decimal(b), new(big.Rat)
	switch {
	case x == nil || y == nil:
		return nil, fmt.Errorf("%v %s %v cannot be reckoned", a, operator, b)
	case operator == "+":
		z.Add(x, y)
	case operator == "-":
		z.Sub(x, y)
	case operator == "*":
		z.Mul(x, y)
	case y.Sign() == 0:
		return nil, errors.New("division by zero")
	default:
		z.Quo(x, y)
	}
	amount, _ := z.Float64()
	if math.IsInf(amount, 0) {
		return nil, errors.New("a result is too large")
	}
	return amount, nil
}

// decimal returns nil for what is no number.
func decimal(v any) *big.Rat {
	switch v := v.(type) {
	case int:
		return big.NewRat(int64(v), 1)
	case float64:
		z, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'e', -1, 64))
		return z
	}
	return nil
}

// literal refuses numbers that a float64 cannot tell from their neighbours.
func (c *conditionCheck) literal(n ast.Node, value float64) termKind {
	if !exact(value, strconv.FormatFloat(value, 'e', -1, 64)) {
		return c.refuse(n, "a number has at most %d digits; ids are strings: write them in quotes", mostDigits)
	}
	return numberTerm
}

func (c *conditionCheck) field(n ast.Node) termKind {
	name := termName(n)
	if kind := termKindOf(c.known, name); kind != "" {
		c.used = append(c.used, name)
		return kind
	}
	names := slices.Sorted(maps.Keys(c.known))
	near, found := mapping.Nearest(name, names)
	group := slices.IndexFunc(names, func(known string) bool { return strings.HasPrefix(known, name+".") })
	switch {
	case name == "" || name+"." == trackingPrefix:
		return c.refuse(n, `%s is no field; a tracking code is named by its type, as in salesTrackingCode["Region"]`, n)
	case group >= 0:
		return c.refuse(n, "%s holds several fields; name one of them, as in %s", name, names[group])
	case overviewTerms()[name] != "":
		return c.refuse(n, "%s is known for hold only (it stands in the overview)", name)
	case found:
		return c.refuse(n, "unknown name %s; did you mean %s?", name, near)
	}
	return c.refuse(n, "unknown name %s; a text stands in quotes", name)
}

// spelled refuses values that the field never has.
func (c *conditionCheck) spelled(field ast.Node, values ...ast.Node) {
	all := spellings(termName(field))
	for _, n := range values {
		if text, is := n.(*ast.StringNode); is && all != nil && !slices.Contains(all, text.Value) {
			c.refuse(n, "%s is never %s; it is one of %s", field, n, strings.Join(all, ", "))
		}
	}
}

func (c *conditionCheck) call(n ast.Node, name string, args []ast.Node) termKind {
	gives, known := conditionFunctions()[name]
	switch {
	case !known:
		return c.refuse(n, "unknown function %s; there are %s", name, slices.Sorted(maps.Keys(conditionFunctions())))
	case len(args) != 1:
		return c.refuse(n, "%s takes one text", name)
	}
	return c.want(textTerm, gives, args...)
}
