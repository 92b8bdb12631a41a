package action

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/mapping"
)

// ExportColumn is a column of an export: a field of the customer, or of the overview.
type ExportColumn struct {
	Name     string
	Overview bool
}

// overviewColumns are the balances and dates that only the overview shows
// (developer.staxbill.com/reference/read-customer-overview-1).
func overviewColumns() []string {
	return []string{"arBalance", "pendingCharges", "unallocatedPayments", "unallocatedCredits", "unallocatedOpeningBalance", "lifetimeValue",
		"nextBillingDate", "statusTimestamp", "customerAccountStatusTimestamp", "daysUntilSuspension", "daysUntilCancellation"}
}

// recordColumns are fields that a customer's record shows and no update sets.
func recordColumns() []string {
	return []string{"status", "customerAccountStatus", "currency", "monthlyRecurringRevenue", "netMonthlyRecurringRevenue",
		"createdTimestamp", "modifiedTimestamp", "isParent", "portalUserName", "hubSpotId", "hubSpotCompanyId",
		"salesforceId", "salesforceAccountType", "salesforceSynchStatus", "netsuiteId", "netsuiteSynchStatus", "netsuiteCustomerType",
		"geotabId", "digitalRiverId", "quickBooksSyncToken", "canChangeCurrency", "uri"}
}

// readOnlyColumns are what an export may show beside the fields of an update.
func readOnlyColumns() []string { return append(recordColumns(), overviewColumns()...) }

// DefaultColumns are the id and every field that an update takes. Types of sales
// tracking codes differ from account to account, and which of them occur is known
// only when the last customer has been read, when the heading is long written:
// they are named by whoever wants them.
func DefaultColumns() (columns []ExportColumn) {
	columns = append(columns, ExportColumn{Name: "id"})
	for _, f := range UpdateSchema().Fields {
		if !f.Family {
			columns = append(columns, ExportColumn{Name: f.Name})
		}
	}
	return columns
}

// OverviewColumns are the columns of --overview.
func OverviewColumns() (columns []ExportColumn) {
	for _, name := range overviewColumns() {
		columns = append(columns, ExportColumn{name, true})
	}
	return columns
}

// FindColumn finds what a person means by the name of a column.
func FindColumn(name string) (ExportColumn, error) {
	name = strings.TrimSpace(name)
	if len(name) > len(trackingPrefix) && strings.EqualFold(name[:len(trackingPrefix)], trackingPrefix) {
		return ExportColumn{Name: trackingPrefix + strings.TrimSpace(name[len(trackingPrefix):])}, nil
	}
	known := slices.Concat(DefaultColumns(), OverviewColumns())
	for _, n := range recordColumns() {
		known = append(known, ExportColumn{Name: n})
	}
	var names []string
	for _, c := range known {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if near, ok := mapping.Nearest(name, names); ok {
		return ExportColumn{}, fmt.Errorf("%q is no column of an export; did you mean %s?", name, near)
	}
	return ExportColumn{}, fmt.Errorf("%q is no column of an export; they are %s and %s<type>", name, strings.Join(names, ", "), trackingPrefix)
}

// Carried says that a list row tells what the record holds in this column.
func (c ExportColumn) Carried(row []byte) bool {
	name := c.Name
	if _, tracking := trackingType(name); tracking {
		name = trackingList
	}
	if gjson.GetBytes(row, name).Exists() {
		return true
	}
	parent, _, nested := strings.Cut(name, ".")
	holder := gjson.GetBytes(row, parent)
	return nested && holder.Exists() && holder.Type == gjson.Null
}

// Cell is the column's cell for a customer, as an update would find it.
func (c ExportColumn) Cell(record, overview []byte) string {
	if c.Overview {
		record = overview
	}
	text := customer{record, NewTrackingCodes()}.value(c.Name).Plain()
	// No file of text may hold the one, and none of UTF-8 what is not.
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// TrackingTypes adds the types of sales tracking codes that a record holds.
func TrackingTypes(record []byte, known map[string]bool) {
	for _, entry := range gjson.GetBytes(record, trackingList).Array() {
		if typ := entry.Get("type").String(); typ != "" && len(known) < mostTypes {
			known[typ] = true
		}
	}
}

// mostTypes is more than an account has.
const mostTypes = 20

// TrackingColumn is the column of a type of sales tracking codes.
func TrackingColumn(typ string) string { return trackingPrefix + typ }

// ExportSpec is how an export reads a file: as an update would, for its customers alone.
func ExportSpec() Spec {
	s := UpdateSchema()
	s.OnlyKeys, s.Exported = true, false
	return Spec{Schema: s, Item: fusebillItem}
}
