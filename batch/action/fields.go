package action

import (
	"slices"
	"strings"

	"rowbatch/mapping"
)

// field is one field of a Fusebill customer. All that this program knows of it
// stands here: what an update takes, guards, conditions, the columns of an export,
// refusals, what may move by itself.
type field struct {
	mapping.Field          // as an update takes it; of one that it does not set the name alone
	is            traits   // where it is read, and what it is
	elsewhere     string   // why an update does not set it, and what does; "" of one that it sets
	moves         string   // other fields that a change of this one may move, between spaces
	values        []string // where the vendor's pages name all that it can have
}

type traits uint

const (
	inRecord   traits = 1 << iota // GET /customers/{id} shows it
	inOverview                    // GET /customers/{id}/overview shows it
	number                        // a condition finds an amount or a count; else a text
	flag                          // or true or false
	guard                         // --match may compare it though no update sets it
	restless                      // the billing system may move it at any write, or only renders it
	link                          // an id in another system, which a PUT without it clears
	noColumn                      // an export has no column for it
	key                           // a row may name its customer by it
	finder                        // or where a mapping file says so; the API's query knows it
)

func (f field) has(all traits) bool { return f.is&all == all }

func (f field) set() bool { return f.elsewhere == "" }

// onlyShown reports whether an export shows it and no update takes it.
func (f field) onlyShown() bool { return !f.set() && !f.has(key) && !f.has(noColumn) }

// fieldTable are the fields of a customer, once they were made: who asks for one a row keeps it.
type fieldTable []field

// customerFields are the fields of a customer and of its overview, one a line: a
// new field of the API is one line more in one of the three parts.
func customerFields() fieldTable {
	return slices.Concat(updateFields(), accountFields(), overviewFields())
}

func named(name string) mapping.Field { return mapping.Field{Name: name} }

// updateFields are the key and what an update sets, in the order of help
// (developer.staxbill.com/docs/modifying-an-existing-customer, …/reference/customer-object).
func updateFields() []field {
	const both = inRecord | inOverview
	text50 := func(name string) mapping.Field { return mapping.Field{Name: name, Max: 50} }
	return []field{
		{Field: mapping.Field{Name: "id", Kind: mapping.Digits}, is: both | key, elsewhere: "it names the customer"},
		{Field: text50("firstName"), is: both},
		{Field: text50("middleName"), is: both},
		{Field: text50("lastName"), is: both},
		{Field: mapping.Field{Name: "companyName", Max: 255, WarnOver: 50}, is: both | finder}, // the vendor's pages say 50 and 255
		{Field: text50("suffix"), is: both},
		{Field: mapping.Field{Name: "title", Kind: mapping.Enum, Enum: []string{"Mr", "Mrs", "Ms", "Miss", "Dr"}}, is: both},
		{Field: mapping.Field{Name: "primaryEmail", Kind: mapping.Email, Max: 255, Clear: mapping.IfAllowed},
			is: both | finder}, // of invoices
		{Field: mapping.Field{Name: "secondaryEmail", Kind: mapping.Email, Max: 255}, is: inRecord | finder},
		{Field: mapping.Field{Name: "primaryPhone", Kind: mapping.Phone, Max: 50}, is: both | finder},
		{Field: mapping.Field{Name: "secondaryPhone", Kind: mapping.Phone, Max: 50}, is: inRecord},
		{Field: mapping.Field{Name: "reference", Kind: mapping.Reference, Max: 255, Unique: "reference_chain"}, is: both | key},
		{Field: named("customerReference.reference1"), is: inRecord | finder},
		{Field: named("customerReference.reference2"), is: inRecord | finder},
		{Field: named("customerReference.reference3"), is: inRecord | finder},
		{Field: named("customerAcquisition.adContent"), is: inRecord},
		{Field: named("customerAcquisition.campaign"), is: inRecord},
		{Field: named("customerAcquisition.keyword"), is: inRecord},
		{Field: named("customerAcquisition.landingPage"), is: inRecord},
		{Field: named("customerAcquisition.medium"), is: inRecord},
		{Field: named("customerAcquisition.source"), is: inRecord},
		{Field: mapping.Field{Name: trackingPrefix, Max: 255, Family: true}, is: inRecord},
		{Field: mapping.Field{Name: "parentId", Kind: mapping.Digits, Parent: true}, is: both, moves: "parentName"},
		// The vendor's search page and its PUT sample name different values. A latch may be carried out at once.
		{Field: mapping.Field{Name: "quickBooksLatchType", Kind: mapping.Enum,
			Enum: []string{"CreateNew", "LatchExisting", "DoNothing", "Enabled"}}, is: inRecord, moves: "quickBooksId quickbooksId"},
		{Field: mapping.Field{Name: "quickBooksId", Kind: mapping.Digits}, is: inRecord | link, moves: "quickbooksId"},
	}
}

// accountFields are what a customer's record shows and no update sets, in the order of an export's columns.
func accountFields() []field {
	const (
		both   = inRecord | inOverview
		hold   = "an update must not change it, since writing a status acts on billing"
		latch  = "links to HubSpot are made by the API's own latch call, not by an update"
		system = "the billing system keeps it itself"
		other  = "links to other systems are made in the account, not by an update"
	)
	return []field{
		{Field: named("status"), is: both | guard, elsewhere: hold, values: statuses(),
			moves: "statusTimestamp nextBillingDate daysUntilSuspension daysUntilCancellation"},
		{Field: named("customerAccountStatus"), is: both | guard | restless, elsewhere: system,
			values: []string{"Good", "PoorStanding", "Collection"}},
		{Field: named("currency"), is: both | guard, elsewhere: "it is fixed once a customer is created"},
		{Field: named("monthlyRecurringRevenue"), is: both | number | restless, elsewhere: system},
		{Field: named("netMonthlyRecurringRevenue"), is: both | number | restless, elsewhere: system},
		{Field: named("createdTimestamp"), is: both, elsewhere: system},
		{Field: named("modifiedTimestamp"), is: inRecord | restless, elsewhere: system},
		{Field: named("isParent"), is: both | flag, elsewhere: system},
		{Field: named("portalUserName"), is: inRecord, elsewhere: "it is the customer's own login"},
		{Field: named(hubSpotContact), is: both | guard | link, elsewhere: latch},
		{Field: named(hubSpotCompany), is: both | guard | link, elsewhere: latch},
		{Field: named("salesforceId"), is: both | guard | link, elsewhere: other},
		{Field: named("salesforceAccountType"), is: inRecord, elsewhere: other},
		{Field: named("salesforceSynchStatus"), is: both, elsewhere: other},
		{Field: named("netsuiteId"), is: both | guard | link, elsewhere: other},
		{Field: named("netsuiteSynchStatus"), is: inRecord, elsewhere: other},
		{Field: named("netsuiteCustomerType"), is: inRecord, elsewhere: other},
		{Field: named("geotabId"), is: both | guard | link, elsewhere: other},
		{Field: named("digitalRiverId"), is: inRecord, elsewhere: other},
		{Field: named("quickBooksSyncToken"), is: inRecord | restless, elsewhere: system},
		{Field: named("canChangeCurrency"), is: inRecord | flag, elsewhere: system},
		{Field: named("uri"), is: both | restless, elsewhere: system},
		{Field: named("requiresProjectedInvoiceGeneration"), is: inRecord | noColumn, elsewhere: system},
		{Field: named("requiresFinancialCalendarGeneration"), is: inRecord | noColumn, elsewhere: system},
	}
}

// overviewFields are what only the overview shows, in the order of an export's columns
// (developer.staxbill.com/reference/read-customer-overview-1).
func overviewFields() []field {
	const system = "the billing system keeps it itself"
	return []field{
		{Field: named("arBalance"), is: inOverview | number, elsewhere: system},
		{Field: named("pendingCharges"), is: inOverview | number, elsewhere: system},
		{Field: named("unallocatedPayments"), is: inOverview | number, elsewhere: system},
		{Field: named("unallocatedCredits"), is: inOverview | number, elsewhere: system},
		{Field: named("unallocatedOpeningBalance"), is: inOverview | number, elsewhere: system},
		{Field: named("lifetimeValue"), is: inOverview | number, elsewhere: system},
		{Field: named("nextBillingDate"), is: inOverview, elsewhere: system},
		{Field: named("statusTimestamp"), is: inOverview, elsewhere: system},
		{Field: named("customerAccountStatusTimestamp"), is: inOverview | restless, elsewhere: system},
		{Field: named("daysUntilSuspension"), is: inOverview | number, elsewhere: system},
		{Field: named("daysUntilCancellation"), is: inOverview | number, elsewhere: system},
		{Field: named("parentName"), is: inOverview | noColumn, elsewhere: system},
		{Field: named("quickbooksId"), is: inOverview | noColumn, elsewhere: system}, // as the overview spells it
		{Field: named("unknownPaymentActivityId"), is: inOverview | noColumn, elsewhere: system},
	}
}

// of returns the field of a name; of an unknown one it is empty.
func (all fieldTable) of(name string) field {
	for i := range all {
		if all[i].Name == name {
			return all[i]
		}
	}
	return field{}
}

func statuses() []string { return []string{"Draft", "Active", "Hold", "Suspended", "Cancelled"} }

// canonical is one of the values that the vendor's pages name, spelled as they spell it:
// resources may differ in letter case.
func canonical(values []string, text string) string {
	if i := slices.IndexFunc(values, func(v string) bool { return strings.EqualFold(v, text) }); i >= 0 {
		return values[i]
	}
	return text
}

// names are those of the fields of which something is true.
func (all fieldTable) names(is func(field) bool) (names []string) {
	for _, f := range all {
		if is(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

// exported are what an export of customers has columns for.
func (all fieldTable) exported() []string {
	return all.names(func(f field) bool { return !f.has(noColumn) })
}

// UpdateSchema is what `update` takes.
func UpdateSchema() mapping.Schema {
	all := customerFields()
	s := mapping.Schema{Action: "update", System: SystemFusebill, Keys: all.keys(), Finders: all.finders(inRecord),
		Belongs: map[string]string{}, Exported: true}
	for _, f := range all {
		switch {
		case f.set():
			s.Fields = append(s.Fields, f.Field)
		case !f.has(key):
			s.Belongs[f.Name] = f.elsewhere
		}
	}
	s.ReadOnly = all.names(func(f field) bool { return f.onlyShown() })
	s.Guards = all.names(func(f field) bool { return f.has(guard) })
	return s
}

// keys are the columns that can name a Fusebill customer.
func (all fieldTable) keys() (keys []mapping.Field) {
	for _, f := range all {
		if f.has(key) {
			f.Unique = "" // which is said of new values
			keys = append(keys, f.Field)
		}
	}
	return keys
}

// finders are the fields beside the keys by which a mapping file may name a customer, of
// those that all of some resources show.
func (all fieldTable) finders(in traits) (fields []mapping.Field) {
	for _, f := range all {
		if f.has(finder | in) {
			fields = append(fields, f.Field)
		}
	}
	return fields
}

// overviewTexts are fields that a customer's overview shows and no hold moves.
func (all fieldTable) overviewTexts() []string {
	return all.names(func(f field) bool {
		return f.has(inOverview) && (f.set() || f.has(guard)) && !f.has(key) && !f.has(restless) && f.Name != "status"
	})
}
