package action_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// ember is a customer's record and overview in one.
const ember = `{"id":9007199254740993,"uri":"https://example.com/v1/customers/9007199254740993","firstName":"Ada","middleName":null,
"lastName":"Reed","companyName":"Ember & Sons","title":"","primaryEmail":"ada@example.com; books@example.org","primaryPhone":5550100,
"reference":"AC-100","status":"Active","currency":"USD","parentId":987001,"isParent":false,"canChangeCurrency":null,
"monthlyRecurringRevenue":25.9800,"netMonthlyRecurringRevenue":"12.50","quickBooksId":null,"hubSpotId":101,"suffix":["Jr"],
"customerReference":{"reference1":null,"reference2":"north-7","salesTrackingCodes":[{"type":"Region","code":"EMB"},{"type":"Rep","code":7}]},
"customerAcquisition":null,"modifiedTimestamp":"2026-05-01T10:00:00.1234567Z","createdTimestamp":"2018-01-01T03:33:33.02",
"arBalance":0.1,"pendingCharges":0.2,"unallocatedPayments":null,"unallocatedCredits":"many","unallocatedOpeningBalance":1234567890123456.78,"lifetimeValue":-3e2,"daysUntilSuspension":3,"nextBillingDate":"2026-12-01T00:00:00","parentName":null}`

func condition(t testing.TB, code string) *action.Condition {
	t.Helper()
	c, err := action.NewCondition(code, true)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return c
}

// verdict is "holds", "skipped" or the error of a refusal, without the expression.
func verdict(t testing.TB, code, body string) string {
	t.Helper()
	out := condition(t, code).Refuses([]byte(body))
	switch {
	case out == nil:
		return "holds"
	case out.Kind == batch.Skipped && out.Code == "" && out.Error == "--when '"+code+"' does not hold":
		return "skipped"
	case out.Kind == batch.Rejected && out.Code == "when_error" && strings.HasPrefix(out.Error, "--when '"+code+"': "):
		return strings.TrimPrefix(out.Error, "--when '"+code+"': ")
	}
	t.Fatalf("%s: an outcome of no known form: %+v", code, out)
	return ""
}

func TestConditionVerdicts(t *testing.T) {
	for want, codes := range map[string][]string{
		"holds": {
			`status == "Active"`, `status in ["Hold", "Active"]`, `id == "9007199254740993"`, `parentId == "987001" && hubSpotId == "101"`,
			`primaryPhone == "5550100"`, `middleName == "" && quickBooksId == ""`, `secondaryEmail == "" and parentName == ""`,
			`customerAcquisition.source == ""`, `customerReference.reference1 == ""`, `customerReference["reference2"] contains "north"`,
			`not (middleName startsWith "T")`, `salesTrackingCode["Region"] == "EMB"`, `salesTrackingCode["Team"] == ""`,
			`salesTrackingCode["region"] + salesTrackingCode.Rep == "EMB7"`, `primaryEmail matches "@example\\.org$"`,
			`lower(trim(companyName)) endsWith "sons"`, `upper(firstName) == "ADA" and len(lastName) == 4`, `len(lastName) - 4 == 0`,
			`nextBillingDate >= "2026-12" and nextBillingDate < "2027"`, `monthlyRecurringRevenue == 25.98`,
			`monthlyRecurringRevenue in [1, 25.98]`, `netMonthlyRecurringRevenue == 12.5`, `arBalance + pendingCharges == 0.3`,
			`monthlyRecurringRevenue * 100 / 2 - 1298 == 1`, `-lifetimeValue == 300`, `1 < daysUntilSuspension < 4`,
			`daysUntilCancellation == nil`, `arBalance != nil and isParent != nil`, `not isParent`,
			`(unallocatedPayments == nil ? 5 : unallocatedPayments) > 4`, `unallocatedPayments == nil or unallocatedPayments > 0`,
			`status == "Active" or unallocatedPayments > 0`, `customerReference?.reference1 == ""`, `status[0:1] == "A"`,
			`unallocatedOpeningBalance > 0`, `(id == "1" ? 1 : arBalance) == 0.1`,
		},
		"skipped": {
			`"Active" != status`, `status not in ["Hold", "Active"]`, `id == "9007199254740992"`, `middleName startsWith "T"`,
			`createdTimestamp < "2018-01-01"`, `monthlyRecurringRevenue > 25.98`, `arBalance + pendingCharges > 0.3`,
			`3 < daysUntilSuspension + 1 <= 3`, `nil != unallocatedPayments`, `isParent == true`,
			`unallocatedPayments != nil ? unallocatedPayments > 0 : false`, `status == "Hold" and unallocatedPayments > 0`,
		},
		"unallocatedPayments is null": {
			`unallocatedPayments > 0`, `unallocatedPayments <= 0`, `not (unallocatedPayments > 0)`, `-unallocatedPayments < 1`,
			`unallocatedPayments > 0 or status == "Active"`, `(unallocatedPayments > 0 ? 1 : 2) == 2`, `unallocatedPayments != 0`,
			`unallocatedPayments in [0]`, `arBalance in [unallocatedPayments]`, `arBalance - unallocatedPayments < 1`,
			`(unallocatedPayments != nil ? 1 : unallocatedPayments) < 1`,
		},
		"canChangeCurrency is null":                         {`canChangeCurrency`, `not canChangeCurrency`, `canChangeCurrency != true`, `canChangeCurrency or true`},
		"suffix is no text in the record":                   {`suffix == ""`, `suffix != "Jr"`, `true or suffix == ""`},
		`unallocatedCredits is "many", which is no number`:  {`unallocatedCredits > 0`, `unallocatedCredits == nil`},
		"a division by zero, or a result that is too large": {`lifetimeValue / (arBalance - 0.1) > 0`, strings.Repeat("1e300 * ", 2) + "arBalance > 0"},
	} {
		for _, code := range codes {
			if got := verdict(t, code, ember); got != want {
				t.Errorf("%s: %q, want %q", code, got, want)
			}
		}
	}
}

func TestConditionOnOddRecords(t *testing.T) {
	twice := `{"customerReference":{"salesTrackingCodes":[{"type":"Rep","code":"A"},{"type":"rep","code":"B"}]}}`
	for _, c := range []struct{ code, body, want string }{
		{`reference == ""`, ``, "there is no record to look at"},
		{`reference == ""`, `null`, "there is no record to look at"},
		{`reference == ""`, `{"status":"Active"`, "there is no record to look at"},
		{`reference == ""`, `{}`, "holds"},
		{`reference == "true"`, `{"reference":true}`, "holds"},
		{`customerReference.reference1 == ""`, `{"customerReference":[]}`, "customerReference is no object in the record"},
		{`salesTrackingCode["Rep"] == ""`, `{"customerReference":{"salesTrackingCodes":{}}}`, "customerReference.salesTrackingCodes is no list in the record"},
		{`salesTrackingCode["Rep"] == ""`, `{"customerReference":{"salesTrackingCodes":null}}`, "holds"},
		{`salesTrackingCode["Rep"] == "A"`, twice, `customerReference.salesTrackingCodes holds the type "Rep" twice`},
		{`salesTrackingCode["Sales Tracking Code 2"] == ""`, twice,
			`the record has a code of type "Rep", which may be the account's name for "Sales Tracking Code 2"; use the account's names`},
		{`arBalance == 0`, `{"arBalance":-0.00}`, "holds"},
		{`arBalance > 0`, `{"arBalance":1e999999999}`, "arBalance is 1e999999999, which is no number"},
		{`arBalance > 0`, `{"arBalance":"Inf"}`, `arBalance is "Inf", which is no number`},
		{`arBalance > 0`, `{"arBalance":"0x1p4"}`, `arBalance is "0x1p4", which is no number`},
		{`isParent`, `{"isParent":"true"}`, `isParent is "true", which is neither true nor false`},
		{`firstName matches lastName`, `{"firstName":"a","lastName":"("}`, "error parsing regexp: missing closing ): `(`"},
	} {
		if got := verdict(t, c.code, c.body); got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.code, c.body, got, c.want)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	for want, codes := range map[string][]string{
		"unknown name arBalanc; did you mean arBalance? (1:1)\n | arBalanc > 0\n | ^": {`arBalanc > 0`},
		"did you mean firstName?":                                      {`firstname == "Ada"`},
		"did you mean customerReference.reference1?":                   {`reference1 == "x"`},
		"did you mean lower?":                                          {`lover(firstName) == ""`},
		"unknown name Active; a text stands in quotes":                 {`status == Active`},
		"unknown name now":                                             {`now() > 1`},
		"unknown name any":                                             {`any([1], # > 0)`},
		"unknown name $env":                                            {`$env["status"] == "Active"`, `$env == nil`, `$env[status] == "x"`},
		"; name one of its fields, as in customerReference.reference1": {`customerReference == ""`, `customerReference.referense1 == ""`, `"x" in customerReference`},
		`as in salesTrackingCode["Region"]`:                            {`salesTrackingCode == ""`, `salesTrackingCode[status] == ""`},
		"parentId is text, and 987001 is a number; ids and texts are strings: write them in quotes": {`parentId == 987001`},
		"write them in quotes":                   {`status > 5`, `id in ["1", 2]`, `id not in [1]`},
		"invalid operation: + (mismatched types": {`id + 1 == ""`, `isParent + true == true`, `customerReference.reference1 + 1 == ""`},
		"invalid operation: > (mismatched types": {`isParent > true`},
		`can be nil; an empty text is ""`:        {`firstName == nil`, `nil != firstName`, `nil == nil`, `(arBalance + 1) == nil`, `(arBalance > 0) == nil`, `customerReference != nil`},
		"?? cannot be used":                      {`(arBalance ?? 5) > 4`, `(firstName ?? "x") == "x"`},
		"is never \"Canceled\"; it is one of Draft, Active, Hold, Suspended, Cancelled": {`"Canceled" != status`, `status not in ["Hold", "Canceled"]`},
		"a condition is true or false: expected bool":                                   {`arBalance`, `firstName`, `arBalance + 1`},
		"(mismatched type float64)":                                                     {`not arBalance > 0`},
		"non-bool expression":                                                           {`arBalance ? true : false`},
		"invalid operation: in":                                                         {`"a" in firstName`},
		"missing closing )":                                                             {`firstName matches "("`},
		"cannot use int as argument (type string)":                                      {`lower(1) == ""`},
		"too many arguments":                                                            {`lower(firstName, "x") == ""`},
		"let cannot be used":                                                            {`let x = 1; x > 0`},
		"the expression has more than 10000 parts":                                      {strings.Repeat("(1 < ", 20) + "1" + strings.Repeat(" < 3 ? 1 : 2)", 20) + " == 1"},
		"unexpected token":                                                              {`status = "Active"`, ``, `arBalance >`},
	} {
		for _, code := range codes {
			if _, err := action.NewCondition(code, true); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", code, err, want)
			}
		}
	}
	_, err := action.NewCondition("arBalance > 0", false)
	if err == nil || !strings.HasPrefix(err.Error(), "unknown name arBalance; it is known for hold only (it stands in the overview)") {
		t.Errorf("an overview's field of an update: %v", err)
	}
}

func TestConditionBeyondOverview(t *testing.T) {
	for code, want := range map[string]bool{
		`arBalance > 0 and status == "Active"`: false, `secondaryEmail == ""`: true, `true or modifiedTimestamp > "2026"`: true,
		`salesTrackingCode["Region"] == "N"`: true, `canChangeCurrency == nil`: true,
	} {
		if got := condition(t, code).BeyondOverview(); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}

func TestConditionFromManyGoroutines(t *testing.T) {
	c := condition(t, `arBalance + pendingCharges == 0.3 and salesTrackingCode["Region"] == "EMB"`)
	var all sync.WaitGroup
	for range 500 {
		all.Go(func() {
			if out := c.Refuses([]byte(ember)); out != nil {
				t.Errorf("refused: %+v", out)
			}
		})
	}
	all.Wait()
}

// amount is a part of an expression and its value; nil: a null is reached.
type amount struct {
	code  string
	value *big.Rat
}

// claim is a condition, whether it holds, and whether that can be said.
type claim struct {
	code      string
	holds, ok bool
}

func amounts(t *rapid.T, fields []amount, depth int) amount {
	operator := rapid.SampledFrom([]string{"", "", "+", "-", "*"}).Draw(t, "operator")
	if depth == 0 || operator == "" {
		return rapid.SampledFrom(append(fields, amount{"0.30", big.NewRat(3, 10)}, amount{"2", big.NewRat(2, 1)})).Draw(t, "leaf")
	}
	a, b, z := amounts(t, fields, depth-1), amounts(t, fields, depth-1), new(big.Rat)
	code := "(" + a.code + " " + operator + " " + b.code + ")"
	switch {
	case a.value == nil || b.value == nil:
		return amount{code, nil}
	}
	return amount{code, map[string]func(x, y *big.Rat) *big.Rat{"+": z.Add, "-": z.Sub, "*": z.Mul}[operator](a.value, b.value)}
}

func claims(t *rapid.T, fields []amount, depth int) claim {
	form := rapid.SampledFrom([]string{"", "", "not", "and", "or", "nil", "?"}).Draw(t, "form")
	if depth == 0 || form == "" {
		return ordering(amounts(t, fields, 2), rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "order"), amounts(t, fields, 2))
	}
	a, b := claims(t, fields, depth-1), claims(t, fields, depth-1)
	switch form {
	case "nil":
		f := rapid.SampledFrom(fields).Draw(t, "field")
		return claim{f.code + " == nil", f.value == nil, true}
	case "not":
		return claim{"not (" + a.code + ")", !a.holds, a.ok}
	case "?":
		return claim{"(" + a.code + " ? false : (" + b.code + "))", !a.holds && b.holds, a.ok && (a.holds || b.ok)}
	}
	whole := claim{"(" + a.code + ") " + form + " (" + b.code + ")", a.holds, a.ok}
	if a.ok && a.holds == (form == "and") {
		whole.holds, whole.ok = b.holds, b.ok
	}
	return whole
}

func ordering(a amount, operator string, b amount) claim {
	whole := claim{code: a.code + " " + operator + " " + b.code}
	if whole.ok = a.value != nil && b.value != nil; whole.ok {
		orders := map[int][]string{-1: {"<", "<=", "!="}, 0: {"<=", ">=", "=="}, 1: {">", ">=", "!="}}
		whole.holds = slices.Contains(orders[a.value.Cmp(b.value)], operator)
	}
	return whole
}

// TestConditionsReckonExactly compares with decimals and with a null that
// poisons whatever reaches it: on a record of nulls no ordering ever holds.
func TestConditionsReckonExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		var fields []amount
		nulls := rapid.IntRange(0, 3).Draw(t, "nulls in three")
		for _, name := range []string{"arBalance", "pendingCharges", "lifetimeValue"} {
			cents, f, raw := rapid.Int64Range(-999, 999).Draw(t, name), amount{code: name}, "null"
			if rapid.IntRange(1, 3).Draw(t, "null") > nulls {
				f.value = big.NewRat(cents, 100)
				raw = f.value.FloatString(4)
			}
			members, fields = append(members, fmt.Sprintf("%q:%s", name, raw)), append(fields, f)
		}
		want, body := claims(t, fields, 3), "{"+strings.Join(members, ",")+"}"
		c, err := action.NewCondition(want.code, true)
		if err != nil {
			t.Fatalf("%s: %v", want.code, err)
		}
		out := c.Refuses([]byte(body))
		if failed := out != nil && out.Code == "when_error"; failed == want.ok || want.ok && (out == nil) != want.holds {
			t.Fatalf("%s on %s: %+v, want %+v", want.code, body, out, want)
		}
	})
}

// FuzzCondition: whatever compiles ends, and the same way each time.
func FuzzCondition(f *testing.F) {
	f.Add(`not (arBalance > 0) or unallocatedPayments - 1 == 1`, ember)
	f.Add(`1 < len(salesTrackingCode["x"]) < 3 ? isParent : id in ["1"]`, `{"id":1}`)
	f.Fuzz(func(t *testing.T, code, body string) {
		c, err := action.NewCondition(code, true)
		if err != nil {
			return
		}
		first, second := c.Refuses([]byte(body)), c.Refuses([]byte(body))
		if (first == nil) != (second == nil) || first != nil && first.Error != second.Error {
			t.Fatalf("%s on %s: %+v, then %+v", code, body, first, second)
		}
	})
}

func BenchmarkCondition(b *testing.B) {
	c, body := condition(b, `status == "Active" and arBalance + pendingCharges > 0.2 and customerReference.reference2 startsWith "north"`), []byte(ember)
	for b.Loop() {
		if c.Refuses(body) != nil {
			b.Fatal("refused")
		}
	}
}
