package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func ids(body string) string {
	var out []string
	for _, r := range gjson.Parse(body).Array() {
		out = append(out, r.Get("id").Raw)
	}
	return strings.Join(out, " ")
}

func TestQueryForms(t *testing.T) {
	seed := strings.Join([]string{
		`{"id":1,"firstName":"Jo","lastName":"Reed","reference":"AC-1","status":"Active","monthlyRecurringRevenue":50.0,"createdTimestamp":"2018-01-01T00:00:00","primaryPhone":5550100}`,
		`{"id":2,"firstName":"Jo","lastName":"Holm","reference":"AC-2","status":"Draft","monthlyRecurringRevenue":180,"createdTimestamp":"2018-06-01T10:00:00.5Z","primaryPhone":"555-0200"}`,
		`{"id":3,"firstName":"jo","lastName":"","reference":"AC-1","status":"Active","monthlyRecurringRevenue":179.99,"modifiedTimestamp":"2024-05-01T00:00:00.0000001Z","parentId":1}`,
		`{"id":4,"firstName":"Jo.","lastName":null,"reference":17,"status":"Hold","customerAcquisition":{"source":"fair"},"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST","name":"East"}]}}`,
	}, ",")
	s := open(t, Options{Seed: []byte("[" + seed + "]")})
	for query, want := range map[string]string{
		"":                         "1 2 3 4",
		"reference:AC-1":           "1 3",
		"Reference:AC-2":           "2",
		"reference:ac-1":           "",
		"reference:17":             "4",
		"reference:AC":             "",
		"reference:AC-*":           "1 2 3",
		"reference:*1":             "1 3",
		"firstName:Jo":             "1 2",
		"firstName:J*":             "1 2 4",
		"firstName:Jo.*":           "4",
		"firstName:Jo;lastName:Re": "",
		"firstName:Jo;lastName:Reed;reference:AC-1":          "1",
		"lastName:[empty]":                                   "3 4",
		"status:Active,Draft":                                "1 2 3",
		"status:Hold":                                        "4",
		"id:3,1,3,99":                                        "1 3",
		"id:2;status:Active":                                 "",
		"parentId:1":                                         "3",
		"monthlyRecurringRevenue:50.00|180.00":               "1 3",
		"monthlyRecurringRevenue:180|":                       "2",
		"monthlyRecurringRevenue:|179.99":                    "1",
		"monthlyRecurringRevenue:50":                         "1",
		"createdTimestamp:2018-01-01|2018-06-01":             "1",
		"createdTimestamp:2018-01-01T00:00:00|":              "1 2",
		"modifiedTimestamp:2024-05-01T00:00:00|":             "3",
		"modifiedTimestamp:|2024-05-01":                      "",
		"primaryPhone:555*":                                  "1 2",
		"customerAcquisition.source:fair":                    "4",
		"customerReference.salesTrackingCode2.code:EAST":     "4",
		"CustomerReference.SalesTrackingCode2.Name:E*":       "4",
		"customerReference.salesTrackingCode1.code:EAST":     "",
		"customerReference.salesTrackingCode1.code:[empty]":  "1 2 3 4",
		"arBalance:0.00|1;monthlyRecurringRevenue:50|180.01": "1 2",
	} {
		t.Run(query, func(t *testing.T) {
			g := find(t, s, query)
			if g.status != 200 || ids(g.body) != want {
				t.Errorf("%d %q, want %q", g.status, ids(g.body), want)
			}
			if n := fmt.Sprint(len(strings.Fields(want))); g.header.Get("X-Count") != n || g.header.Get("X-MaxCount") != "4" {
				t.Errorf("X-Count %s of %s", g.header.Get("X-Count"), g.header.Get("X-MaxCount"))
			}
		})
	}
}

func TestQueryRefusals(t *testing.T) {
	s := open(t, Options{})
	for _, params := range []string{
		"query=hubSpotId:1", "query=nonsense:1", "query=reference", "query=reference:AC-1%3Bmore", "query=status:active", "query=status:Active,Gone",
		"query=id:1,x", "query=createdTimestamp:2018-01-01", "query=createdTimestamp:yesterday|", "query=monthlyRecurringRevenue:a|b", "query=firstName:",
		"pageSize=0", "pageSize=-1", "pageNumber=x", "sortOrder=Ascending", "sortExpression=id", "sortOrder=up&sortExpression=id", "sortOrder=Ascending&sortExpression=geotabId",
	} {
		if g := get(t, s, "/v1/customers?"+params); g.status != 400 || gjson.Get(g.body, "ErrorId").Raw != "0" {
			t.Errorf("%s: %d %s", params, g.status, g.body)
		}
	}
}

func TestPaging(t *testing.T) {
	s := open(t, Options{Seed: sampleSeed(t), Customers: 25, PageCap: 10})
	for _, c := range []struct{ params, ids, headers string }{
		{"", "987001-987010", "25 25 10 0 1 -1 2"},
		{"pageSize=500&pageNumber=1", "987011-987020", "25 25 10 1 2 0 2"},
		{"pageSize=10&pageNumber=2", "987021-987025", "25 25 10 2 -1 1 2"},
		{"pageSize=10&pageNumber=3", "", "25 25 10 3 -1 2 2"},
		{"pageSize=5&pageNumber=4", "987021-987025", "25 25 5 4 -1 3 4"},
		{"pageSize=5&query=reference:none", "", "0 25 5 0 -1 -1 0"},
		{"pageSize=2&pageNumber=1&query=id:987003,987001,987002", "987003-987003", "3 25 2 1 -1 0 1"},
	} {
		t.Run(c.params, func(t *testing.T) {
			g := get(t, s, "/v1/customers?"+c.params)
			found, span := strings.Fields(ids(g.body)), ""
			if len(found) > 0 {
				span = found[0] + "-" + found[len(found)-1]
			}
			var h []string
			for _, name := range []string{"X-Count", "X-MaxCount", "X-PageSize", "X-CurrentPage", "X-NextPage", "X-PreviousPage", "X-MaxPageIndex"} {
				h = append(h, g.header.Get(name))
			}
			if span != c.ids || strings.Join(h, " ") != c.headers {
				t.Errorf("%s, %s; want %s, %s", span, h, c.ids, c.headers)
			}
		})
	}
}

func TestPageSizeIsCappedAtAThousand(t *testing.T) {
	s := open(t, Options{Seed: sampleSeed(t), Customers: 1200})
	g := get(t, s, "/v1/customers?pageSize=5000")
	if n := gjson.Get(g.body, "#").Int(); n != 1000 || g.header.Get("X-PageSize") != "1000" {
		t.Errorf("%d rows, X-PageSize %s", n, g.header.Get("X-PageSize"))
	}
}

func TestSorting(t *testing.T) {
	s := open(t, Options{Seed: []byte(`[{"id":1,"lastName":"B","quickBooksId":10},{"id":2,"lastName":"C","quickBooksId":9},{"id":3,"lastName":"A","quickBooksId":null},{"id":4,"lastName":"B","quickBooksId":100}]`)})
	for params, want := range map[string]string{
		"sortOrder=Ascending&sortExpression=lastName":      "3 1 4 2",
		"sortOrder=Descending&sortExpression=LastName":     "2 1 4 3",
		"sortOrder=Ascending&sortExpression=quickBooksId":  "3 2 1 4",
		"sortOrder=Descending&sortExpression=quickBooksId": "4 1 2 3",
	} {
		g := get(t, s, "/v1/customers?"+params)
		if ids(g.body) != want || !strings.Contains(params, g.header.Get("X-SortOrder")) || !strings.EqualFold(g.header.Get("X-SortExpression"), params[strings.LastIndex(params, "=")+1:]) {
			t.Errorf("%s: %s %v", params, ids(g.body), g.header)
		}
	}
}

func TestShortRows(t *testing.T) {
	s := open(t, Options{ShortRows: true})
	g := find(t, s, "id:7")
	if want := `[{"firstName":"Ada","lastName":"Reed","companyName":"Northlight Ltd","primaryEmail":"ada@example.com; books@example.com","reference":40021,"status":"Active","id":7,"uri":"/v1/customers/7"}]`; g.body != want {
		t.Error(g.body)
	}
}

func TestSearchByReferenceFollowsWrites(t *testing.T) {
	s := open(t, Options{})
	if g := find(t, s, "reference:AC-1"); ids(g.body) != "8 9" {
		t.Fatal(g.body)
	}
	put(t, s, edit(t, odd, "reference", `"AC-1"`))
	put(t, s, `{"id":8,"status":"Active","reference":"AC-2"}`)
	for query, want := range map[string]string{"reference:AC-1": "7 9", "reference:AC-2": "8", "reference:40021": ""} {
		if g := find(t, s, query); ids(g.body) != want {
			t.Errorf("%s: %s, want %s", query, ids(g.body), want)
		}
	}
}

func TestCopiesOfTheSeed(t *testing.T) {
	s := open(t, Options{Customers: 12})
	all := s.IDs()
	if want := []string{"7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18"}; !slices.Equal(all, want) {
		t.Fatalf("ids %v", all)
	}
	third := stored(t, s, "17") // the second copy of 7
	want := edit(t, odd, "id", "17", "uri", `"/v1/customers/17"`, "reference", `"40021-3"`, "lastName", `"Reed 3"`, "companyName", `"Northlight Ltd 3"`,
		"primaryEmail", `"ada+3@example.com; books+3@example.com"`, "customerReference.id", "17", "customerReference.uri", `"/v1/customers/17"`,
		"customerAcquisition.id", "17", "customerAcquisition.uri", `"/v1/customers/17"`)
	if third != want {
		t.Errorf("%s\nwant %s", third, want)
	}
	if _, ok := s.Customer("19"); ok {
		t.Error("a thirteenth customer")
	}
	if n := len(open(t, Options{Customers: 2}).IDs()); n != 2 {
		t.Errorf("%d customers of 2", n)
	}
}
