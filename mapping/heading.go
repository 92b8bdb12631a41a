package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"rowbatch/mapping/csvfile"
)

// FindHeading finds the heading among the first rows of an input: the first row if it
// fits the actions, else the only one that does. What stands above it are titles.
// Where none fits, the error is about the row that comes nearest. A row without cells
// could not be read.
func FindHeading(all []Schema, rows []csvfile.Row, o CompileOptions) (at int, err error) {
	var fit []int
	var why error
	most := -1 // of the nearest row: 2 for each cell that is known, 1 for one that may be meant for a field
	for i, row := range rows {
		if len(row.Cells) == 0 {
			continue
		}
		c := newCompiler(all, row.Cells, o)
		known := 0
		for _, text := range row.Cells {
			switch text = strings.TrimSpace(text); {
			case text == "":
			case c.knows(text):
				known += 2
			case len(kinOf(text, keyAndFieldNames(c.parts))) > 0:
				known++
			}
		}
		_, refused := c.compile()
		switch {
		case refused == nil && i == 0:
			return 0, nil
		case refused == nil:
			fit = append(fit, i)
		case known > most:
			most, at, why = known, i, refused
		}
	}
	switch len(fit) {
	case 0:
	case 1:
		return fit[0], nil
	default:
		one, other := rows[fit[0]].Line, rows[fit[1]].Line
		return 0, &csvfile.Refusal{File: o.Name, Text: fmt.Sprintf("%ss %d and %d could each be the heading", Unit(o.Name), one, other),
			Try: fmt.Sprintf("--header-row %d, or --header-row %d", one, other)}
	}
	refusal, ok := errors.AsType[*csvfile.Refusal](why)
	switch {
	case ok && o.Nearest && (len(rows) > 1 || most > 1):
		return at, nil
	case !ok: // not even the first row could be read
		return 0, why
	case at > 0:
		refusal.Text = fmt.Sprintf("none of the first rows fits; the nearest to a heading is %s %d:\n%s",
			Unit(o.Name), rows[at].Line, refusal.Text)
		refusal.Try = strings.TrimPrefix(refusal.Try+"; or --header-row N with the heading's "+Unit(o.Name), "; or ")
	case most == 0:
		refusal.Try = strings.TrimPrefix(refusal.Try+"; or --header-row N, if titles stand above the heading", "; or ")
	}
	return 0, refusal
}

// kin are headings as other programs and people write them, spelled as bare
// writes them, each line behind the fields that they may mean. English, German, French
// and Spanish; another language is a word more in each line.
func kin() map[string]string {
	return map[string]string{
		"id customer_id": "id customerid custid clientid customersid kundenid idkunde idclient idcliente clienteid recordid " +
			"iddecliente iddeclient fusebillid staxid staxbillid",
		"reference id customer_id subscription_id": "reference ref externalid externalref customerno customernumber customernr custno " +
			"accountno accountnumber accountid clientno clientnumber kundennummer kundennr kdnr kundenreferenz referenz " +
			"numeroclient numclient noclient codeclient referenceclient numerocliente numcliente codigocliente " +
			"referencia referenciacliente numerodeclient nodeclient codedeclient numerodecompte numerodecliente " +
			"nodecliente nocliente codigodecliente numerodecuenta",
		"firstName":  "firstname first fname givenname forename vorname rufname prenom nombre nombredepila primernombre",
		"middleName": "middlename middle mname middleinitial zweitervorname deuxiemeprenom secondprenom segundonombre",
		"lastName": "lastname last lname surname familyname nachname familienname zuname nom nomdefamille apellido " +
			"apellidos",
		"lastName companyName": "name fullname customer customername client clientname kunde kundenname nomclient cliente " +
			"nombrecliente contact contactname",
		"companyName": "companyname company organisation organization business businessname employer firm firma firmenname " +
			"unternehmen betrieb societe entreprise raisonsociale empresa compania razonsocial sociedad " +
			"accountname account",
		"title":  "title salutation anrede titel civilite titre tratamiento titulo",
		"suffix": "suffix namesuffix namenszusatz suffixe sufijo",
		"primaryEmail email": "primaryemail email emailaddress mail mailaddress email1 primaryemailaddress billingemail " +
			"invoiceemail contactemail emailadresse mailadresse epost rechnungsemail courriel adresseemail " +
			"adressemail adresseelectronique adressecourriel correo correoelectronico emailprincipal " +
			"direcciondecorreo",
		"secondaryEmail": "secondaryemail email2 otheremail alternateemail alternativeemail zweiteemail emailsecondaire " +
			"correosecundario",
		"primaryPhone": "primaryphone phone phonenumber phoneno phone1 telephone telephonenumber tel mobile mobilephone " +
			"mobilenumber cell cellphone telefon telefonnummer handy handynummer rufnummer mobil " +
			"numerodetelephone portable telefono numerodetelefono movil celular",
		"secondaryPhone":             "secondaryphone phone2 otherphone alternatephone zweitetelefonnummer telephone2 telefono2",
		"parentId":                   "parentid parent parentcustomer parentcustomerid parentaccount",
		"hubSpotId":                  "hubspotid contactid hubspotcontact hubspotcontactid vid",
		"hubSpotCompanyId":           "hubspotcompanyid companyid hubspotcompany associatedcompanyid",
		"customerAcquisition.source": "source leadsource acquisitionsource utmsource quelle origen",
		"username": "username user login loginname benutzername benutzer utilisateur nomutilisateur usuario " +
			"nombredeusuario",
		"address1": "address1 address addressline1 street streetaddress strasse anschrift adresse rue direccion calle",
		"address2": "address2 addressline2 adresszusatz complementadresse direccion2",
		"city":     "city town ort stadt wohnort ville ciudad localidad poblacion",
		"state":    "state province region county bundesland kanton departement provincia estado",
		"country":  "country land pays pais",
		"zip":      "zip zipcode postcode postalcode plz postleitzahl codepostal codigopostal",
	}
}

// kinOf returns the names which a heading of somebody's own may mean; none where it is
// not known, or the names of these are not among those given.
func kinOf(heading string, among []string) (fields []string) {
	word := bare(heading)
	for means, words := range kin() {
		if !slices.Contains(strings.Fields(words), word) {
			continue
		}
		for _, name := range strings.Fields(means) {
			i := slices.IndexFunc(among, func(n string) bool { return csvfile.Fold(n) == csvfile.Fold(name) })
			if i >= 0 && !slices.Contains(fields, among[i]) {
				fields = append(fields, among[i])
			}
		}
	}
	return fields
}

// mappingLine is, behind some words, what a mapping file says where a heading means the field
// that it is like; "" where it is like none.
func mappingLine(behind, heading string, parts []*part) string {
	fields := meant(heading, keyAndFieldNames(parts))
	switch {
	case fields == nil || csvfile.MentionsPassword(heading):
		return ""
	case slices.ContainsFunc(parts, func(p *part) bool { return p.schema.key(fields[0]) != nil }):
		return fmt.Sprintf("%skey: {column: %q, field: %s}", behind, heading, fields[0])
	}
	return fmt.Sprintf("%s%q: %s", behind, heading, fields[0])
}

// bare is a heading without what is in brackets, signs and accents, in lower case:
// "First Name [Required] *" is firstname, "N° client" noclient.
func bare(heading string) string {
	heading, _, _ = strings.Cut(heading, "[")
	heading, _, _ = strings.Cut(heading, "(")
	heading = strings.NewReplacer("ß", "ss", "°", "o", "º", "o").Replace(strings.ToLower(heading))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, norm.NFD.String(heading))
}
