// Package mcp joins codemode and the Model Context Protocol, in both directions: programs
// call the tools of MCP servers, and MCP clients run programs.
//
// # Tools of servers
//
// A [Source] is one line for each server:
//
//	reg.Attach(&mcp.Source{Name: "files", Command: "npx", Args: []string{"-y", "@modelcontextprotocol/server-filesystem", "/srv/data"}})
//	reg.Attach(&mcp.Source{Name: "issues", URL: "https://mcp.example.com/mcp", Header: http.Header{"Authorization": {"Bearer " + token}}})
//
// codemode.New connects, and a program calls tools.files.read_text_file(path="..."). The
// same servers can stand in codemode.yaml, under mcp_servers, for an application that
// imports this package:
//
//	import _ "github.com/codemode-sdk/codemode/adapters/mcp"
//
// Every page of a server's list is taken, and each change of the list while programs run.
// Names are spelled for Python as schema.PythonName does; the server's hints become the
// tools' registry.Policy, with the protocol's defaults: a tool of which nothing is said
// may be destructive.
//
// # Results
//
// Structured content arrives as Python values, integers of any length included; what a
// server gives is not checked against the schema that it declares. Where there is no
// structured content, a block of text is a str, and any other a dict with the protocol's
// names, in which binary data are bytes:
//
//	{"type": "image", "mimeType": "image/png", "data": b"..."}
//	{"type": "audio", "mimeType": "audio/wav", "data": b"..."}
//	{"type": "resource", "uri": "...", "mimeType": "...", "text": "..."}    # or "blob": b"..."
//	{"type": "resource_link", "uri": "...", "name": "...", ...}
//
// One block is the result, several are a list, none is None. Text that happens to be JSON
// stays text, unless the tool declares a schema for its result: then it is what servers
// gave before there was structured content. Blocks beside structured content that are not
// text follow it in a list, unless a schema is declared: the result is then what that says.
//
// # Failures
//
// A result with isError is a ToolError with its text. A call that has no answer, because
// the server died or answered nonsense, is one of kind unavailable, and may have taken
// effect; the next call connects again. A call is sent a second time only where the first
// was certainly not carried out. When a run ends, its calls are cancelled on the server.
//
// # Programs for clients
//
// [NewServer] offers the function tool, and the client sees what the model needs:
//
//	server, err := mcp.NewServer(cm, nil)
//	...
//	err = server.Run(ctx, &sdk.StdioTransport{})
//
// A result has the compact text for a model and, as structured content, status, result,
// output and calls. Calls inside of the program are progress notifications, if the client
// gave a token; what it prints are log messages, if the client asked for them. Cancelling
// the request ends the program's process. [Server.Handler] serves streamable HTTP, with
// keys and protection against web pages. The command codemode mcp does both, in front of
// any number of other servers.
//
// # Conformance
//
// The protocol's own conformance tests for initialize, ping, tools/list, logging levels,
// parallel streams and DNS rebinding are passed as a server, and those for initialize and
// tools/call as a client. The others test what is not offered: resources, prompts,
// completion, sampling, elicitation, OAuth, and tools of a test server.
package mcp
