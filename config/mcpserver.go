package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

const (
	maxServers    = 100      // in a file
	maxServerList = 1000     // of args, env and headers each
	maxServerText = 32 << 10 // of one text, in bytes
)

// A serverKey is a key of a server, as in a file.
type serverKey struct {
	name, accepts, doc string
	text               func(*MCPServer) *string
	list               func(*MCPServer) *[]string
	secrets            func(*MCPServer) *map[string]Secret
}

var serverKeys = []serverKey{
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

var (
	serverName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")
)

// Validate says what is wrong with s; the error has the code fault.Config.
func (s MCPServer) Validate() error {
	var found problems
	s.check(func(key, message string) {
		found.add(&Problem{Key: s.path(key), Message: message})
	})
	return found.err("the MCP server " + quote(s.Name))
}

// path is where a key of s is in a file; that of s itself if key is empty.
func (s MCPServer) path(key string) string {
	own := join(serversPath, s.Name)
	if key == "" {
		return own
	}
	return join(own, key)
}

// check reports everything wrong, without the values of secrets.
func (s MCPServer) check(report func(key, message string)) {
	if !serverName.MatchString(s.Name) {
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
	if u, err := url.Parse(s.URL); s.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		report("url", "is not an address: write http://... or https://...") // which may hold a password
	}
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
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if !headerName.MatchString(name) {
			report("headers", quote(name)+" is not the name of a header")
		} else if err := plainText(s.Headers[name].Reveal()); err != nil {
			report("headers."+name, err.Error())
		} else if strings.ContainsAny(s.Headers[name].Reveal(), "\r\n") {
			report("headers."+name, "has a line break, which a header cannot have")
		}
	}
}

func plainText(text string) error {
	switch {
	case len(text) > maxServerText:
		return fmt.Errorf("is longer than %d bytes", maxServerText)
	case strings.Contains(text, "\x00"):
		return errors.New("has a zero byte in it")
	}
	return nil
}

// readServers reads the section mcp_servers, whose keys are the servers' names. Aliases
// are not followed: what they could multiply to is not bounded by a table of keys here.
func (s *settings) readServers(file origin, written *yaml.Node) {
	s.pairs(file, serversPath, "a section with a name for each server", maxServers, written, func(name string, here origin, value *yaml.Node) {
		server, before := MCPServer{Name: name}, len(s.problems.list)
		s.pairs(file, server.path(""), "a section with a command or a url", len(serverKeys), value, func(key string, here origin, value *yaml.Node) {
			s.readServerKey(here, server.path(key), &server, key, value)
		})
		if len(s.problems.list) == before { // half-read values would only contradict themselves
			server.check(func(key, message string) { s.report(here, server.path(key), message) })
		}
		s.config.MCPServers = append(s.config.MCPServers, server)
	})
}

func (s *settings) readServerKey(here origin, path string, server *MCPServer, name string, value *yaml.Node) {
	i := slices.IndexFunc(serverKeys, func(k serverKey) bool { return k.name == name })
	if i < 0 {
		var known []string
		for _, k := range serverKeys {
			known = append(known, k.name)
		}
		hint := didYouMean(name, known)
		if hint == "" {
			hint = "; the keys here are " + strings.Join(known, ", ")
		}
		s.report(here, "", "unknown key "+quote(name)+" in "+strings.TrimSuffix(path, "."+name)+hint)
		return
	}
	switch k := serverKeys[i]; {
	case k.text != nil:
		*k.text(server), _ = s.scalar(here, path, k.accepts, value)
	case k.list != nil:
		n := value
		if n.Kind != yaml.SequenceNode || len(n.Content) > maxServerList {
			s.report(at(here, value), path, fmt.Sprintf("must be a list of at most %d texts", maxServerList))
			return
		}
		for _, item := range n.Content {
			text, ok := s.scalar(here, path, "text", item)
			if !ok {
				return
			}
			*k.list(server) = append(*k.list(server), text)
		}
	default:
		all := map[string]Secret{}
		s.pairs(here, path, k.accepts, maxServerList, value, func(name string, here origin, value *yaml.Node) {
			text, _ := s.scalar(here, join(path, name), "text", value)
			all[name] = NewSecret(text)
		})
		*k.secrets(server) = all
	}
}

// pairs walks a mapping whose keys are free names.
func (s *settings) pairs(file origin, path, accepts string, most int, written *yaml.Node, each func(name string, here origin, value *yaml.Node)) {
	if isNull(written) {
		return
	}
	n := written
	if n.Kind != yaml.MappingNode || n.Style&yaml.TaggedStyle != 0 || len(n.Content) > 2*most {
		s.report(at(file, written), path, "must be "+accepts+", at most "+strconv.Itoa(most)+" of them")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, here := n.Content[i], at(file, n.Content[i])
		switch {
		case len(s.problems.list) >= maxProblems:
			s.report(here, "", "there are too many problems; nothing from here on was looked at")
			return
		case name.Kind != yaml.ScalarNode || name.Value == "<<" || isNull(name):
			s.report(here, path, "has a key that is not a plain word")
		case seen[name.Value]:
			s.report(here, path, quote(name.Value)+" is there twice")
		default:
			seen[name.Value] = true
			each(name.Value, here, n.Content[i+1])
		}
	}
}

// scalar reads one text, which is never shown: it may be a secret.
func (s *settings) scalar(here origin, path, accepts string, written *yaml.Node) (text string, ok bool) {
	here = at(here, written)
	n := written
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Style&yaml.TaggedStyle != 0 {
		s.report(here, path, "must be one value: write "+accepts)
		return "", false
	}
	text, err := expand(n.Value, s.getenv)
	if err != nil {
		s.report(here, path, "the value "+err.Error())
		return "", false
	}
	return text, true
}
