package config

import (
	"slices"
	"strings"
)

// A section is an inner node of the file.
type section struct {
	path, doc string
}

var sections = []section{
	{path: "project", doc: "The application."},
	{path: "framework", doc: "The agent framework, and where tools come from."},
	{path: "executor", doc: "Where programs run."},
	{path: "executor.limits", doc: "Bounds on each execution. None can be switched off."},
	{path: "executor.filesystem", doc: "Directories shown to programs, besides what the interpreter needs."},
	{path: "executor.filesystem.workspace", doc: "A directory of the executor's that all programs share, such as data to work on."},
	{path: "executor.filesystem.sandbox", doc: "The scratch directory, a fresh one for each program."},
	{path: "executor.filesystem.outputs", doc: "The directory whose files come back with the result as artifacts."},
	{path: "executor.network", doc: "What programs may connect to. What cannot be enforced on a machine is refused when the executor starts."},
	{path: "executor.execution", doc: "Commands that programs may start."},
	{path: "executor.sandbox", doc: "The isolation without which the executor does not start."},
	{path: "executor.pool", doc: "Workers, and what happens when all are busy."},
	{path: "executor.sessions", doc: "State that programs share, where a run names a session: one worker keeps it between them. The limits hold for each run; memory and files, for the session as a whole."},
	{path: "executor.server", doc: "Where an executor that is a process of its own (codemode serve) listens, and whom it admits."},
	{path: "executor.callback", doc: "Callback mode: tool calls that the executor makes by dialling the application, where that asks for it. Without it they travel on the stream on which the program came."},
	{path: "grpc", doc: "The connection between application and executor."},
	{path: "grpc.tls", doc: "Encryption between application and executor. All files are PEM; they are read again when they change. codemode tls generate-certs makes a set."},
	{path: "log", doc: "What the executor writes to standard error."},
	{path: serversPath, doc: "MCP servers whose tools programs may call, each under a name of its own, which is their namespace. The application imports adapters/mcp to have them opened."},
	{path: openAPIPath, doc: "HTTP APIs that an OpenAPI document describes, each under a name of its own, which is the namespace of its operations. The application imports adapters/openapi to have them opened."},
}

func findKey(path string) *key {
	if i := slices.IndexFunc(keys, func(k key) bool { return k.path == path }); i >= 0 {
		return &keys[i]
	}
	return nil
}

func findSection(path string) *section {
	if i := slices.IndexFunc(sections, func(s section) bool { return s.path == path }); i >= 0 {
		return &sections[i]
	}
	return nil
}

// children lists the names below a section, or at the top for an empty path, in the
// table's order.
func children(path string) (names []string) {
	if path == "" {
		defer func() { names = append(names, serversPath, openAPIPath) }()
	}
	for _, k := range keys {
		rest := k.path
		if path != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(k.path, path+"."); !ok {
				continue
			}
		}
		name, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
