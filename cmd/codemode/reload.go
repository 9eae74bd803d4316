package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/apikey"
	"github.com/codemode-sdk/codemode/sidecar"
)

// maxKeyIDs bounds the ids in a line of the log.
const maxKeyIDs = 50

// live are the keys that take effect without a restart.
var live = []string{"executor.server.api_keys", "executor.server.api_keys_file", "executor.server.drain_timeout", "log.level", "log.audit"}

// A reloader reads the configuration again, as it was read at the start.
type reloader struct {
	overrides []config.Override
	hidden    map[string]string // variables that were taken out of the environment
	running   *config.Config    // as at the start
	latest    *config.Config
	level     *slog.LevelVar
	log       *slog.Logger
}

// reload takes over what it can. What it cannot read, or what would not be safe, changes
// nothing.
func (r *reloader) reload(server *sidecar.Server) {
	fresh, err := r.read()
	if err != nil {
		r.log.Error("the configuration was not reloaded; what was in force stays", "error", err)
		return
	}
	// Where it listens is what the flags and the first reading said.
	checked := fresh.Sidecar()
	checked.Host, checked.Port, checked.Socket = r.running.Executor.Server.Host, r.running.Executor.Server.Port, r.running.Executor.Server.Socket
	if err := checked.Validate(); err != nil {
		r.log.Error("the configuration was not reloaded; what was in force stays", "error", err)
		return
	}
	var changed, waiting []string
	for _, key := range config.Changed(r.latest, fresh) {
		if slices.Contains(live, key) {
			changed = append(changed, key)
		}
	}
	for _, key := range config.Changed(r.running, fresh) {
		if !slices.Contains(live, key) {
			waiting = append(waiting, key)
		}
	}
	if err := server.Reload(checked); err != nil {
		r.log.Error("not all of the configuration was reloaded", "error", err)
	}
	r.level.Set(checked.LogLevel)
	r.latest = fresh
	r.log.Info("configuration reloaded", "file", fresh.File, "changed", changed, "api_keys", keyIDs(checked))
	if len(waiting) > 0 {
		r.log.Warn("some of the configuration waits for a restart", "keys", waiting)
	}
}

func (r *reloader) read() (*config.Config, error) {
	if r.running.File == "" { // a process's environment does not change, but files that it names do
		return config.ParseSidecar("", nil, r.getenv, r.overrides...)
	}
	data, err := os.ReadFile(r.running.File)
	if err != nil {
		return nil, err
	}
	return config.ParseSidecar(r.running.File, data, r.getenv, r.overrides...)
}

func (r *reloader) getenv(name string) string {
	if value, hidden := r.hidden[name]; hidden {
		return value
	}
	return os.Getenv(name)
}

// keyIDs gives the ids, as in records, of the keys that admit a caller, those of the file
// included. Each
// is slow to make, so that there is a bound to them.
func keyIDs(cfg config.SidecarConfig) []string {
	var keys []string
	for _, key := range cfg.APIKeys {
		keys = append(keys, key.Reveal())
	}
	if cfg.APIKeysFile != "" {
		// The executor has said what is wrong with a file that cannot be used.
		if data, err := os.ReadFile(cfg.APIKeysFile); err == nil {
			more, _ := apikey.Parse(data)
			keys = append(keys, more...)
		}
	}
	ids := make([]string, 0, len(keys))
	for i, key := range keys {
		if i == maxKeyIDs {
			return append(ids, fmt.Sprintf("and %d more", len(keys)-i))
		}
		ids = append(ids, apikey.KeyID(key))
	}
	return ids
}
