package sidecar

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/config"
)

// writeAudit writes a line for an execution, if the configuration asks for it, whatever
// the level of the log: an audit with holes is none.
func (s *Server) writeAudit(r *Record) {
	mode := *s.audit.Load()
	if mode == config.AuditOff {
		return
	}
	line := slog.NewRecord(time.Now(), slog.LevelInfo, "audit", 0)
	line.AddAttrs(slog.String("execution", r.ExecutionID), slog.String("caller", r.Caller), slog.String("status", r.Status))
	if r.Session != "" {
		line.AddAttrs(slog.String("session", r.Session))
	}
	if r.Reason != "" {
		line.AddAttrs(slog.String("reason", r.Reason))
	}
	if r.ErrorType != "" {
		line.AddAttrs(slog.String("error", r.ErrorType))
	}
	if r.Code != "" {
		digest := sha256.Sum256([]byte(r.Code))
		line.AddAttrs(slog.String("code_sha256", hex.EncodeToString(digest[:])))
	}
	line.AddAttrs(
		slog.Float64("queued_ms", milliseconds(r.Queued)), slog.Float64("wall_ms", milliseconds(r.Wall)),
		slog.Float64("cpu_ms", milliseconds(r.CPU)), slog.Int64("max_rss_bytes", r.MaxRSSBytes),
	)
	tools := make([]slog.Attr, 0, min(len(r.Tools), maxAuditTools)+1)
	rest := ToolUse{Tool: "(others)"}
	for i, use := range r.Tools {
		if i < maxAuditTools {
			tools = append(tools, auditTool(use))
			continue
		}
		rest.Calls, rest.Failed, rest.Unanswered, rest.Time = rest.Calls+use.Calls, rest.Failed+use.Failed, rest.Unanswered+use.Unanswered, rest.Time+use.Time
	}
	if rest.Calls > 0 {
		tools = append(tools, auditTool(rest))
	}
	verdicts := make([]slog.Attr, 0, len(r.Egress))
	for verdict, n := range r.Egress {
		verdicts = append(verdicts, slog.Int(verdict, n))
	}
	slices.SortFunc(verdicts, func(a, b slog.Attr) int { return strings.Compare(a.Key, b.Key) }) // a map has no order
	line.AddAttrs(slog.GroupAttrs("tools", tools...), slog.GroupAttrs("egress", verdicts...))
	if mode == config.AuditWithCode && r.Reason != RefusedInvalid { // which may be of any size
		line.AddAttrs(slog.String("code", r.Code))
	}
	if err := s.log.Handler().Handle(context.Background(), line); err != nil {
		s.log.Error("an audit record was not written", "execution", r.ExecutionID, "error", err)
	}
}

// maxAuditTools bounds the tools that a line names.
const maxAuditTools = 100

func auditTool(use ToolUse) slog.Attr {
	return slog.Group(use.Tool, slog.Int("calls", use.Calls), slog.Int("failed", use.Failed),
		slog.Int("unanswered", use.Unanswered), slog.Float64("ms", milliseconds(use.Time)))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
