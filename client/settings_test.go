package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

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
		_, err := NewFusebill(Options{BaseURL: tt.url, Key: tt.key})
		var setting *SettingError
		errors.As(err, &setting)
		switch {
		case tt.setting == "" && err != nil, tt.setting != "" && (setting == nil || setting.Setting != tt.setting):
			t.Errorf("%q: %v, want a fault of %q", tt.url, err, tt.setting)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "hun ter2")):
			t.Errorf("%v shows the secret", err)
		}
	}
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
	shown += string(asText) + testKey.String() + testKey.GoString()
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
