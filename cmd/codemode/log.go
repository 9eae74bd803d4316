package main

import (
	"io"
	"log/slog"

	"github.com/codemode-sdk/codemode/config"
)

// newLogger writes a log as the configuration has it; level can be changed later.
func newLogger(to io.Writer, cfg config.SidecarConfig) (log *slog.Logger, level *slog.LevelVar) {
	level = new(slog.LevelVar)
	level.Set(cfg.LogLevel)
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(to, options)), level
	}
	return slog.New(slog.NewTextHandler(to, options)), level
}
