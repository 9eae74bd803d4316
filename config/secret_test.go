package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/config"
)

// A key in a log is a key that must be changed. Whoever prints a configuration, or a
// struct that holds one, must not have to think of it.
func TestNoWayOfPrintingAConfigurationShowsAKey(t *testing.T) {
	const key = "hunter2"
	c, err := config.Parse("f", []byte("executor: {api_key: hunter2, server: {api_keys: [hunter2, hunter2]}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	client, sidecar := c.Client(), c.Sidecar()
	if client.ExecutorAPIKey.Reveal() != key || sidecar.APIKeys[1].Reveal() != key {
		t.Fatal("the key did not arrive")
	}
	hidden := struct {
		config any
		client config.ClientConfig
		key    config.Secret
		keys   []config.Secret
	}{c, client, client.ExecutorAPIKey, sidecar.APIKeys}
	values := []any{c, *c, client, &client, sidecar, client.ExecutorAPIKey, &client.ExecutorAPIKey, sidecar.APIKeys, hidden, &hidden}
	hex := fmt.Sprintf("%x", key)
	check := func(how, printed string) {
		t.Helper()
		if low := strings.ToLower(printed); strings.Contains(low, key) || strings.Contains(low, hex) || strings.Contains(low, "104 117 110") {
			t.Errorf("%s shows the key: %s", how, printed)
		}
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%p", "%c", "%U", "%e", "%b", "%o", "%z", "%10.3s"} {
			check(verb, fmt.Sprintf(verb, v))
		}
		check("Sprint", fmt.Sprint(v))
		if text, err := json.Marshal(v); err == nil {
			check("json", string(text))
		}
		if text, err := yaml.Marshal(v); err == nil {
			check("yaml", string(text))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		check("slog", log.String())
	}
	if got := fmt.Sprint(client.ExecutorAPIKey, config.Secret{}); got != "[redacted] " {
		t.Errorf("printed %q: set and unset must be told apart", got)
	}
}

func TestSecretsCompareByValue(t *testing.T) {
	a, b, c := config.NewSecret("a"), config.NewSecret("a"), config.NewSecret("c")
	if !a.Equal(b) || a.Equal(c) || a.Equal(config.Secret{}) || !config.NewSecret("").Equal(config.Secret{}) {
		t.Error("wrong")
	}
	if config.NewSecret("").IsSet() || !a.IsSet() {
		t.Error("IsSet is wrong")
	}
}
