package config

import (
	"maps"
	"slices"

	"gopkg.in/yaml.v3"
)

// An MCPServer is a server of the Model Context Protocol whose tools programs may call:
// one to start, which has a Command, or one to connect to, which has a URL.
type MCPServer struct {
	// Name becomes the namespace of the server's tools: 1 to 64 of A-Z a-z 0-9 _ -,
	// beginning with a letter or _.
	Name string
	// Command is what to start, by path or by name in PATH; it speaks MCP on its standard
	// input and output. Args are its arguments.
	Command string
	Args    []string
	// Dir is its working directory. If empty, that of this process.
	Dir string
	// Env are variables for it, besides the few that every program needs.
	Env map[string]Secret
	// URL is where a server speaks MCP over HTTP: http or https.
	URL string
	// Headers are sent with every request to it.
	Headers map[string]Secret
}

// serversPath is the section whose keys are not a table's but the servers' names.
const serversPath = "mcp_servers"

var serverKeys = []entryKey[MCPServer]{
	{name: "command", accepts: "a path, or a name to look up in PATH", text: func(s *MCPServer) *string { return &s.Command },
		doc: "What to start; it speaks MCP on standard input and output."},
	{name: "args", accepts: "a list of texts", list: func(s *MCPServer) *[]string { return &s.Args },
		doc: "Its arguments. Others on the machine can see them: secrets belong in env."},
	{name: "dir", accepts: "a path", text: func(s *MCPServer) *string { return &s.Dir },
		doc: "Its working directory, in place of the application's."},
	{name: "env", accepts: "a section of names and texts", secrets: func(s *MCPServer) *map[string]Secret { return &s.Env },
		doc: "Variables for it. It gets no others of the application's but the few that every program needs."},
	{name: "url", accepts: "http://... or https://...", text: func(s *MCPServer) *string { return &s.URL },
		doc: "Where a server speaks MCP over HTTP, in place of a command."},
	{name: "headers", accepts: "a section of names and texts", secrets: func(s *MCPServer) *map[string]Secret { return &s.Headers },
		doc: "Headers for every request to it, such as Authorization."},
}

// Validate says what is wrong with s; the error has the code fault.Config.
func (s MCPServer) Validate() error {
	return validateEntry(join(serversPath, s.Name), "the MCP server "+quote(s.Name), s.check)
}

// check reports everything wrong, without the values of secrets.
func (s MCPServer) check(report reportFunc) {
	if !entryName.MatchString(s.Name) {
		report("", quote(s.Name)+" cannot be the name of a server: write 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or _")
	}
	switch {
	case s.Command == "" && s.URL == "":
		report("", "has neither a command nor a url: write one of them")
	case s.Command != "" && s.URL != "":
		report("url", "cannot be there together with command: write one of them")
	case s.URL == "" && len(s.Headers) > 0:
		report("headers", "are for a server with a url")
	case s.Command == "" && len(s.Args) > 0:
		report("args", "are for a server with a command")
	case s.Command == "" && len(s.Env) > 0:
		report("env", "is for a server with a command")
	case s.Command == "" && s.Dir != "":
		report("dir", "is for a server with a command")
	}
	checkWebAddress("url", s.URL, report)
	for _, text := range append([]string{s.Command, s.Dir, s.URL}, s.Args...) {
		if err := plainText(text); err != nil {
			report("", "has a text that "+err.Error())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if !variableName.MatchString(name) {
			report("env", quote(name)+" is not the name of a variable")
		} else if err := plainText(s.Env[name].Reveal()); err != nil {
			report("env."+name, err.Error())
		}
	}
	checkHeaders(s.Headers, report)
}

// readServers reads the section mcp_servers.
func (s *settings) readServers(file origin, written *yaml.Node) {
	kind := entryKind[MCPServer]{section: serversPath, one: "a section with a command or a url", all: "a section with a name for each server", keys: serverKeys}
	s.config.MCPServers = readEntries(s, file, kind, written, func(name string) MCPServer { return MCPServer{Name: name} }, MCPServer.check)
}
