package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hardPasswords are such as an escape or a mask may miss.
func hardPasswords() []string {
	return []string{
		"tulip lantern 4", `say "hi", it's`, `<b>&amp;x</b> & y`, `100%41%2f+%zz`, "a/b+c==/?k=v;w", "aHVudGVyMi1zZWNyZXQ=",
		"żółć😀пароль", "q~7", `{"a":"b\u0041\\"}`, `=HYPERLINK("x")`, `back\slash\\n`, "pad  ded   twice", "01/02/2026;x|y", "$(id)`id`${x}%s%d",
		strings.Repeat("Long-Pass_0123456789.", 9) + "end-of-200",
		"zero\u200bwidth", // which the terminal would not show as it is
	}
}

// hardKeys are the accounts' keys, printable as headers must be.
func hardKeys() (fusebill, trackfinity string) {
	return base64.StdEncoding.EncodeToString([]byte(`0:k3y "<&>'%+/=\ of ours`)), `tf"k'<e>&%41+/=\y{}`
}

// spellings are the ways in which a text may hold a secret, by name.
func spellings(secret string) map[string]string {
	all := map[string]string{}
	for name, text := range encodings(secret) {
		for escape, form := range escapes(text) {
			if len(form) > 2 && form != "***" {
				all[name+", "+escape] = form
			}
		}
	}
	return all
}

// encodings are the secret itself, as Base64, there also as part of a longer text, and as hexadecimal digits.
func encodings(secret string) map[string]string {
	b := []byte(secret)
	all := map[string]string{
		"plain": secret, "Base64": base64.StdEncoding.EncodeToString(b), "Base64 for URLs": base64.URLEncoding.EncodeToString(b),
		"Base64, no padding": base64.RawStdEncoding.EncodeToString(b), "Base64 for URLs, no padding": base64.RawURLEncoding.EncodeToString(b),
	}
	if len(secret) < 8 {
		return all // which other digits may hold by chance
	}
	all["hexadecimal"], all["HEXADECIMAL"] = hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b))
	for shift := range 3 {
		padded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), b...))
		all["Base64 within, shift "+strconv.Itoa(shift)] = padded[4 : len(padded)-4]
	}
	return all
}

func escapes(text string) map[string]string {
	plain, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	var bare bytes.Buffer
	e := json.NewEncoder(&bare)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	inJSON := string(plain[1 : len(plain)-1])
	twice, err := json.Marshal(inJSON)
	if err != nil {
		panic(err)
	}
	var bytewise strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&bytewise, "%%%02X", b)
	}
	ascii := strconv.QuoteToASCII(text)
	return map[string]string{
		"as it is": text, "JSON": inJSON, "JSON without HTML escapes": strings.Trim(strings.TrimSpace(bare.String()), `"`),
		"JSON in JSON": string(twice[1 : len(twice)-1]), "JSON with slashes": strings.ReplaceAll(inJSON, "/", `\/`),
		"form": url.QueryEscape(text), "form, lower": lowerHexDigits(url.QueryEscape(text)), "path": url.PathEscape(text), "path, lower": lowerHexDigits(url.PathEscape(text)),
		"each byte": bytewise.String(), "each byte, lower": strings.ToLower(bytewise.String()),
		"HTML": html.EscapeString(text), "Go": strings.Trim(strconv.Quote(text), `"`), "Go, ASCII": ascii[1 : len(ascii)-1],
		"CSV": strings.ReplaceAll(text, `"`, `""`), "YAML": strings.ReplaceAll(text, `'`, `''`),
	}
}

func lowerHexDigits(text string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

// secretSearch finds the secrets of a run anywhere but in the user's own files.
type secretSearch struct {
	secrets []string
	own     []string // names of files, relative to the folder that is searched
	known   map[string]map[string]string
}

// findIn describes each secret that a text holds, and its spelling.
func (v *secretSearch) findIn(where, text string) (found []string) {
	for _, secret := range v.secrets {
		for name, form := range v.spellings(secret) {
			if at := strings.Index(text, form); at >= 0 {
				found = append(found, fmt.Sprintf("%s holds %.40q (%s): …%.200q…", where, secret, name, text[max(0, at-60):min(len(text), at+120)]))
				break
			}
		}
	}
	return found
}

// spellings keeps those of each secret, without doubles.
func (v *secretSearch) spellings(secret string) map[string]string {
	if v.known == nil {
		v.known = map[string]map[string]string{}
	}
	if v.known[secret] == nil {
		names := map[string]string{}
		for name, form := range spellings(secret) {
			names[form] = name
		}
		v.known[secret] = map[string]string{}
		for form, name := range names {
			v.known[secret][name] = form
		}
	}
	return v.known[secret]
}

// search searches all files below a folder, of which there must be some.
func (v *secretSearch) search(t *testing.T, root string) {
	t.Helper()
	if v.searched(t, root) == 0 {
		t.Errorf("no file below %s", root)
	}
}

func (v *secretSearch) searched(t *testing.T, root string) (files int) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || slices.Contains(v.own, name) {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, found := range append(v.findIn(name, string(text)), v.findIn("the name", name)...) {
			t.Error(found)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

// The search itself finds what it must.
func TestSecretsAreFound(t *testing.T) {
	for _, secret := range hardPasswords() {
		v := &secretSearch{secrets: []string{"another one", secret}}
		for name, form := range spellings(secret) {
			if len(v.findIn("x", "before "+form+" after")) == 0 {
				t.Errorf("%s of %q is not found", name, secret)
			}
		}
		if len(v.findIn("x", base64.StdEncoding.EncodeToString([]byte("customer_id=1&password="+secret+"&city=x")))) == 0 && len(secret) > 8 {
			t.Errorf("%q within Base64 is not found", secret)
		}
		if found := v.findIn("x", "*** (left out: it may repeat a secret) {}"); found != nil {
			t.Error(found)
		}
	}
}

// secretsTrial is a folder with a user's files, in which commands are run, and the secrets that must be nowhere else.
type secretsTrial struct {
	trial
	secretSearch
	server *checkingServer // nil: the embedded sandbox
	flags  []string        // of every command that sends requests
}

// newSecretsTrial has a checkingServer, or uses the embedded sandbox.
func newSecretsTrial(t *testing.T, served bool, faults ...string) *secretsTrial {
	t.Helper()
	s := &secretsTrial{trial: trial{dir: t.TempDir()}}
	fusebill, trackfinity := hardKeys()
	s.secrets = []string{fusebill, strings.TrimPrefix(decoded(t, fusebill), "0:"), trackfinity}
	for _, p := range hardPasswords() {
		s.secrets = append(s.secrets, strings.TrimSpace(p))
	}
	if served {
		s.server = startCheckingServer(t, s.path("sandbox"), faults...)
	}
	return s
}

func decoded(t *testing.T, key string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes one of the user's files.
func (s *secretsTrial) write(t *testing.T, name, text string) {
	t.Helper()
	s.own = append(s.own, name)
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeRows writes a CSV file.
func (s *secretsTrial) writeRows(t *testing.T, name string, rows ...[]string) {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	s.write(t, name, b.String())
}

func (s *secretsTrial) program(args ...string) *exec.Cmd {
	if !slices.Contains([]string{"report", "runs"}, args[0]) {
		args = append(args, s.flags...)
	}
	c := exec.Command("rowbatch", args...)
	fusebill, trackfinity := hardKeys()
	c.Dir, c.Env = s.dir, append(environment(), "FUSEBILL_URL=http://127.0.0.1:1/v1", "TRACKFINITY_URL=http://127.0.0.1:1/api", "TRACKFINITY_API_USERNAME=admin")
	if s.server != nil {
		c.Env = s.server.environment()
	}
	c.Env = append(c.Env, "FUSEBILL_API_KEY="+fusebill, "TRACKFINITY_API_KEY="+trackfinity, "ROWBATCH_SANDBOX_DIR="+s.path("sandbox"), "TMPDIR="+s.path("tmp"), "XDG_CACHE_HOME="+s.path("cache"))
	return c
}

// run runs the program, and searches what it prints.
func (s *secretsTrial) run(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.runWith(t, want, "", args...)
}

func (s *secretsTrial) runWith(t *testing.T, want int, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	c := s.program(args...)
	var out, err bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &err
	if code := exitCode(t, c, c.Run()); code != want {
		t.Errorf("%v: exit status %d, not %d\n%s%s", args, code, want, out.String(), err.String())
	}
	s.searchPrinted(t, strings.Join(args, " "), out.String(), err.String())
	return out.String(), err.String()
}

func (s *secretsTrial) searchPrinted(t *testing.T, what, stdout, stderr string) {
	t.Helper()
	for _, found := range append(s.findIn(what+": stdout", stdout), s.findIn(what+": stderr", stderr)...) {
		t.Error(found)
	}
}

// passwordFile has a row for each password, and a few rows with damaged ones: with more
// of them the file would be refused.
func passwordFile() (rows [][]string) {
	rows = append(rows, []string{"customer_id", "Pass Word", "city"})
	for n, p := range append(hardPasswords(), "plain one", "plain two", "plain three") {
		rows = append(rows, []string{strconv.Itoa(4001 + n), p, []string{"", "Harwick"}[n%2]})
	}
	for n, cell := range []string{"***", "REMOVE", " remove ", "#N/A"} {
		rows = append(rows, []string{strconv.Itoa(4101 + n), cell, "Elmby"})
	}
	long := hardPasswords()
	return append(rows, []string{"4111", long[0], "Elmby", long[1]}, []string{"4112", long[2]})
}

// masked wants *** and nothing else in the report's column of passwords.
func (s *secretsTrial) masked(t *testing.T, column string) {
	t.Helper()
	cells := s.report(t).column(column)
	if !slices.Contains(cells, "***") {
		t.Errorf("no password is masked in the report: %q", cells)
	}
	for _, cell := range cells {
		if cell != "***" && strings.TrimSpace(cell) != "" {
			t.Errorf("the report's password is %q", cell)
		}
	}
}

// reported is a column of the newest run's report.
func (s *secretsTrial) reported(t *testing.T, column string) []string {
	t.Helper()
	return s.report(t).column(column)
}

// arrived counts the passwords that reached the server in writes that took effect.
func (s *secretsTrial) arrived(t *testing.T) (n int) {
	t.Helper()
	effects, err := readEffects(filepath.Join(s.dir, "sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string]bool{}
	for _, e := range effects {
		marks[rawValue(e.After, "password")] = true
	}
	for _, p := range hardPasswords() {
		if marks[passwordMark(p)] {
			n++
		}
	}
	return n
}
