// Package mcp joins codemode and the Model Context Protocol.
package mcp
