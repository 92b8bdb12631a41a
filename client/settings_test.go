package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestOneSpelling(t *testing.T) {
	for want, same := range map[string][]string{
		"https://secure.example.com/v1": {
			"https://secure.example.com/v1", "https://secure.example.com/v1/", "HTTPS://Secure.Example.COM/V1", "https://secure.example.com:443/v1",
			"https://secure.example.com:0443//v1//", "https://secure.example.com./%76%31", "https://secure.example.com/./x/../v1",
		},
		"https://secure.example.com:8443":      {"https://secure.example.com:8443/", "https://secure.example.com:08443"},
		"https://secure.example.com:80/v1":     {"https://secure.example.com:080/v1"},
		"http://127.0.0.1:8642/v1":             {"http://127.0.0.1:8642/v1/", "http://[::ffff:127.0.0.1]:8642/v1"},
		"http://[::1]:8642/v1":                 {"http://[0:0::0:1]:8642/v1", "http://[::0001]:08642/v1"},
		"http://[::1]/v1":                      {"http://[::1]:80/v1"},
		"https://xn--mnchen-3ya.example.com/a": {"https://münchen.example.com/a", "https://M\u00dcNCHEN.example.com/A"},
		"https://example.com/a%2fb":            {"https://example.com/a%2Fb", "https://example.com/a%2fb"}, // another path than a/b
		"https://example.com/a/b":              {"https://example.com/a/b"},
		"sandbox":                              {"sandbox"},
		"":                                     {""},
	} {
		for _, text := range same {
			if got := OneSpelling(text); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
			if got := OneSpelling(OneSpelling(text)); got != want {
				t.Errorf("%s: twice makes %s", text, got)
			}
		}
	}
}

func TestSettings(t *testing.T) {
	tests := []struct {
		url     string
		key     Secret
		setting string // at fault
	}{
		{"https://secure.fusebill.com/v1", testKey, ""},
		{"https://secure.fusebill.com/v1/", testKey, ""},
		{"http://127.0.0.1:8080", testKey, ""},
		{"http://[::1]:8080/v1", testKey, ""},
		{"http://LOCALHOST/v1", testKey, ""},
		{"http://secure.fusebill.com/v1", testKey, "the Fusebill URL"},
		{"http://127.0.0.1.example.com", testKey, "the Fusebill URL"},
		{"https://user:hunter2@example.com", testKey, "the Fusebill URL"},
		{"https://example.com/v1?x=hunter2", testKey, "the Fusebill URL"},
		{"https://example.com/v1#x", testKey, "the Fusebill URL"},
		{"ftp://example.com", testKey, "the Fusebill URL"},
		{"secure.fusebill.com/v1", testKey, "the Fusebill URL"},
		{"https:///v1", testKey, "the Fusebill URL"},
		{"https://:443/v1", testKey, "the Fusebill URL"},
		{"", testKey, "the Fusebill URL"},
		{"https://a b/hunter2", testKey, "the Fusebill URL"},
		{"https://example.com", "", "the Fusebill key"},
		{"https://example.com", "hunter2\n", "the Fusebill key"},
		{"https://example.com", "hun ter2", "the Fusebill key"},
		{"https://example.com", "Basic hunter2", "the Fusebill key"},
		{"https://example.com", "hunter2\u200b", "the Fusebill key"},
	}
	for _, tt := range tests {
		if tt.setting == "the Fusebill key" { // both ask the same of a URL
			continue
		}
		_, err := NewTrackfinity(Options{BaseURL: tt.url, Key: "hunter2", Username: "ada"})
		if text := strings.Replace(tt.setting, "Fusebill", "Trackfinity", 1); !faultOf(err, text, false) || shows(err, "hunter2", "hun ter2") {
			t.Errorf("%q: %v, want a fault of %q", tt.url, err, text)
		}
	}
	for _, tt := range tests {
		_, err := NewFusebill(Options{BaseURL: tt.url, Key: tt.key})
		if !faultOf(err, tt.setting, tt.setting == "the Fusebill key") || shows(err, "hunter2", "hun ter2") {
			t.Errorf("%q: %v, want a fault of %q", tt.url, err, tt.setting)
		}
	}
}

func TestTrackfinityCredentials(t *testing.T) {
	tests := []struct {
		key, username Secret
		setting       string // at fault
		try           string
	}{
		{"hunter2", "ada reed", "", ""},
		{"hunter2", "Zoë", "", ""},
		{"", "ada", "the Trackfinity key", "TRACKFINITY_API_KEY"},
		{"hunter2 ", "ada", "the Trackfinity key", "copy the key again"},
		{"hunter2", "", "the Trackfinity user name", "TRACKFINITY_API_USERNAME"},
		{"hunter2", "ada\r\nX-Evil: 1", "the Trackfinity user name", "copy the name again"},
		{"hunter2", " ada", "the Trackfinity user name", "blanks at its ends"},
	}
	for _, tt := range tests {
		_, err := NewTrackfinity(Options{BaseURL: "https://tracking.example.com/api", Key: tt.key, Username: tt.username})
		if !faultOf(err, tt.setting, true) || err != nil && !shows(err, tt.try) || shows(err, "hunter2") {
			t.Errorf("%v, want a fault of %q", err, tt.setting)
		}
	}
	_, err := NewTrackfinity(Options{Key: "hunter2", Username: "ada"})
	if !faultOf(err, "the Trackfinity URL", false) || !shows(err, "TRACKFINITY_URL") {
		t.Error(err)
	}
}

// faultOf wants err to be about the setting; "": wants none.
func faultOf(err error, name string, credential bool) bool {
	var fault *SettingError
	if !errors.As(err, &fault) {
		return err == nil && name == ""
	}
	return fault.Setting == name && fault.Credential == credential
}

func shows(err error, texts ...string) bool {
	return err != nil && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}

func TestSecretsDoNotShow(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	fb := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "who sends "+r.Header.Get("Authorization"))
	}, func(o *Options) { o.Log = logger })
	rep := fb.Update(t.Context(), nil, []byte(`{"id":12}`))
	type box struct{ Key Secret }
	asJSON, err := json.Marshal(map[string]any{"key": testKey, "box": box{testKey}})
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("key", "key", testKey, "box", box{testKey})
	shown := log.String() + string(asJSON) + rep.Err.Error() + fmt.Sprintf("%v %+v %#v %#v", fb, fb, fb, rep.Err)
	asText, _ := testKey.MarshalText()
	shown += string(asText) + testKey.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		shown += fmt.Sprintf(verb, testKey) + fmt.Sprintf(verb, box{testKey}) + fmt.Sprintf(verb, &Options{Key: testKey})
	}
	for _, form := range []string{testKey.Reveal(), fmt.Sprintf("%x", testKey.Reveal()), fmt.Sprintf("%X", testKey.Reveal()), "not-a-real-key"} {
		if i := strings.Index(shown, form); i >= 0 {
			t.Errorf("the key shows: …%s", shown[max(0, i-60):i+len(form)])
		}
	}
	for _, want := range []string{"method=PUT", "path=/customers", "status=400", "sent=9", "class=refused"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log line lacks %s: %s", want, log.String())
		}
	}
}
