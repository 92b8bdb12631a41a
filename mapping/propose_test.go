package mapping

import (
	"strings"
	"testing"
)

func TestPropose(t *testing.T) {
	affiliates := Schema{Action: "patch", System: "trackfinity", EitherKey: true, Unreadable: true,
		Keys:   []Field{{Name: "customer_id", Kind: Reference}, {Name: "subscription_id", Kind: Reference}},
		Fields: []Field{{Name: "email", Kind: Email}, {Name: "city"}, {Name: "password", Secret: true}}}
	for _, c := range []struct {
		name, headings string
		cells          []string // of each column, joined by |
		want           string   // of each heading; key: before the key's field, - for nothing
		schemas        []Schema
	}{
		{"exact names first", "E-mail,Primary Email,ID", nil, "-,primaryEmail,key:id", nil},
		{"an id is the key, a reference beside it a field", "reference,first_name,id", nil, "reference,firstName,key:id", nil},
		{"without an id the reference is the key", "Reference,First Name", nil, "key:reference,firstName", nil},
		{"English", "Customer No,Given Name,Surname,E-mail Address,Phone,Parent", nil,
			"key:reference,firstName,lastName,primaryEmail,primaryPhone,parentId", nil},
		{"German", "Kundennummer,Vorname,Nachname,Firma,Telefon,Anrede", nil, "key:reference,firstName,lastName,companyName,primaryPhone,title", nil},
		{"French", "N° client,Prénom,Nom,Société,Téléphone", nil, "key:reference,firstName,lastName,companyName,primaryPhone", nil},
		{"between the words", "Número de cliente,Nombre", nil, "key:reference,firstName", nil},
		{"Spanish", "Código cliente,Nombre,Apellidos,Empresa,Correo electrónico", nil,
			"key:reference,firstName,lastName,companyName,primaryEmail", nil},
		{"a name alone is a company's", "id,Name", nil, "key:id,companyName", nil},
		{"beside a first name it is a person's", "id,Name,Vorname", nil, "key:id,lastName,firstName", nil},
		{"no field twice", "id,Phone,Mobile,Tel", nil, "key:id,primaryPhone,-,-", nil},
		{"one key: its other names set nothing", "id,Kundennummer", nil, "key:id,-", nil},
		{"the look of the cells", "A,B,C", []string{"987001|987002", "a@x.example|", "+49 30 123456|555-019-2211"}, "key:id,primaryEmail,primaryPhone", nil},
		{"amounts and days are no ids and no phones", "A,B,C", []string{"12|987", "2026-01-02|2026-01-03", "10.50|9999"}, "-,-,-", nil},
		{"the nearest spelling", "id,frstName,Lsat Name", nil, "key:id,firstName,lastName", nil},
		{"a family's member", "id,salesTrackingCode.Rep", nil, "key:id,salesTrackingCode.Rep", nil},
		{"ours, notes and no headings are nothing", "id,rb_email,#phone,", []string{"1", "a@x.example", "b@x.example", "c@x.example"}, "key:id,-,-,-", nil},
		{"passwords are never guessed", "id,Old passwords", []string{"1", "a@x.example"}, "key:id,-", nil},
		{"another system", "Customer ID,Mail,password,Ort", nil, "key:customer_id,email,password,city", []Schema{affiliates}},
		{"a mixed file", "action,id,Courriel,Ort", nil, "action,key:id,primaryEmail,city", []Schema{schema(), affiliates}},
	} {
		headings := strings.Split(c.headings, ",")
		values := make([][]string, len(headings))
		for i := range c.cells {
			values[i] = strings.Split(c.cells[i], "|")
		}
		if c.schemas == nil {
			c.schemas = []Schema{schema()}
		}
		var got []string
		for _, p := range Propose(c.schemas, headings, values) {
			switch {
			case p.Action:
				p.Field = "action"
			case p.Key:
				p.Field = "key:" + p.Field
			case p.Field == "":
				p.Field = "-"
			}
			got = append(got, p.Field)
		}
		if got := strings.Join(got, ","); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSameName(t *testing.T) {
	for heading, same := range map[string]bool{"First Name": true, "first_name": true, "FIRST-NAME": true, "Firstname.": false, "first": false} {
		if SameName("firstName", heading) != same {
			t.Errorf("%q: %v", heading, !same)
		}
	}
}

// A column whose cells are other words than those that its field takes has them translated.
func TestDraftTranslatesWords(t *testing.T) {
	cells := [][]string{{"987001", "987002"}, {"Herr", "Frau", "Mr.", "Dr", "", "Hofrat", "REMOVE"}}
	text, _, err := Draft("update", "x.csv", []Schema{schema()}, []string{"id", "Anrede"}, cells)
	if err != nil {
		t.Fatal(err)
	}
	m := mapper(t, "update", "id,Anrede", string(text))
	for cell, want := range map[string]string{"Herr": "title=Mr", "Frau": "title=Ms", "Mr.": "title=Mr", "Dr": "title=Dr",
		"Hofrat": "#not_allowed_value", "REMOVE": "title!"} {
		if got := reading(m, "987001,"+cell); got != "update id=987001: "+want {
			t.Errorf("%s: %s", cell, got)
		}
	}
	if text, _, _ := Draft("update", "x.csv", []Schema{schema()}, []string{"id", "Anrede"}, [][]string{{"1"}, {"mr", "Dr"}}); strings.Contains(string(text), "values") {
		t.Errorf("%s", text)
	}
}

// TestDraftIsTaken: what is proposed compiles as it is, whatever headings and cells hold,
// and shows no cell of a column that may hold passwords.
func TestDraftIsTaken(t *testing.T) {
	headings := []string{"Cust: No", "E-mail #1", "- Notes", "  Vorname ", "true", "null", "it's \"quoted\"", "Kennwort", "rb_line", "", "{a}", "Saldo\nnetto"}
	values := make([][]string, len(headings))
	for i := range values {
		values[i] = []string{"987001\n- x: y", "# [", "987002"}
	}
	values[7] = []string{"hunter2"}
	values[1] = []string{"a@x.example"}
	text, keyed, err := Draft("update", "in\nfile.csv", []Schema{schema()}, headings, values)
	if err != nil || !keyed {
		t.Fatalf("keyed %v, %v", keyed, err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("it shows a password:\n%s", text)
	}
	f, err := ParseFile("map.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var named []string
	for _, h := range headings {
		if h != "" && h != "rb_line" {
			named = append(named, h)
		}
	}
	m, err := Compile([]Schema{schema()}, named, CompileOptions{File: f})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := strings.Join(m.Fields("update"), " "); got != "primaryEmail firstName" {
		t.Errorf("it sets %s\n%s", got, text)
	}
}
