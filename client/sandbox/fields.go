package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

// field is one that PUT /customers takes. check returns what is wrong with a
// value that is neither null nor the stored one, "" if nothing is.
type field struct {
	name  string
	check func(raw string) string
}

// editable are the fields of the vendor's PUT sample
// (developer.staxbill.com/docs/modifying-an-existing-customer), the nested ones aside.
func editable() []field {
	return []field{
		{"firstName", text(50)},
		{"middleName", text(50)},
		{"lastName", text(50)},
		{"companyName", text(255)}, // the vendor's pages say 50 and 255; the longer harms no customer that exists
		{"suffix", text(50)},
		{"title", orEmpty(oneOf("Mr", "Mrs", "Ms", "Miss", "Dr"))},
		{"primaryEmail", mails(255)},
		{"secondaryEmail", mails(255)},
		{"primaryPhone", text(50)},
		{"secondaryPhone", text(50)},
		{"reference", text(255)},
		{"status", oneOf(statuses()...)},
		{"parentId", integer},
		{"quickBooksLatchType", oneOf("CreateNew", "LatchExisting", "DoNothing", "Enabled")},
		{"quickBooksId", integer},
		{"hubSpotId", integer},
	}
}

func statuses() []string { return []string{"Draft", "Active", "Hold", "Suspended", "Cancelled"} }

// readOnly says that a PUT leaves the field as it is, whatever it carries. All
// others, unknown ones included, take what is sent: which of them the API spares
// is not documented.
func readOnly(name string) bool {
	return slices.Contains([]string{
		"id", "uri", "createdTimestamp", "modifiedTimestamp", "monthlyRecurringRevenue", "netMonthlyRecurringRevenue",
		"isParent", "canChangeCurrency", "customerAccountStatus", "currency",
	}, name)
}

func text(most int) func(string) string {
	return func(raw string) string {
		v := gjson.Parse(raw)
		if v.Type != gjson.String && v.Type != gjson.Number {
			return "must be text."
		}
		if n := len(utf16.Encode([]rune(plain(raw)))); n > most {
			return fmt.Sprintf("must not be longer than %d characters.", most)
		}
		return ""
	}
}

func oneOf(allowed ...string) func(string) string {
	return func(raw string) string {
		if v := gjson.Parse(raw); v.Type == gjson.String && slices.Contains(allowed, v.Str) {
			return ""
		}
		return "must be one of " + strings.Join(allowed, ", ") + "."
	}
}

// orEmpty also takes "", which a real reply carried where no title was set.
func orEmpty(check func(string) string) func(string) string {
	return func(raw string) string {
		if raw == `""` {
			return ""
		}
		return check(raw)
	}
}

func integer(raw string) string {
	if digits := strings.TrimPrefix(raw, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return ""
	}
	return "must be a whole number."
}

func mails(most int) func(string) string {
	fits := text(most)
	shape := regexp.MustCompile(`^[^\s@;,]+@[^\s@;,]+\.[^\s@;,]+$`)
	return func(raw string) string {
		if problem := fits(raw); problem != "" || plain(raw) == "" {
			return problem
		}
		for part := range strings.SplitSeq(plain(raw), ";") {
			if !shape.MatchString(strings.TrimSpace(part)) {
				return fmt.Sprintf("holds %q, which is no e-mail address.", strings.TrimSpace(part))
			}
		}
		return ""
	}
}

func referenceKeys() []string { return []string{"reference1", "reference2", "reference3"} }

func acquisitionKeys() []string {
	return []string{"adContent", "campaign", "keyword", "landingPage", "medium", "source"}
}
