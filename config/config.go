// Package config reads codemode.yaml and the environment.
//
// Most programs need one call:
//
//	cfg, err := config.Load("codemode.yaml")
//	if err != nil {
//		return err // every problem of the file at once, each with file, line and column
//	}
//	client := cfg.Client()   // what an application needs to reach an executor
//	sidecar := cfg.Sidecar() // what an executor needs to serve
//
// # Two halves
//
// One file describes both ends, so that they agree; a process takes its own half of it.
// [ClientConfig] says where the executor is and how to authenticate to it.
// [SidecarConfig] says whom the executor admits and what a program may use. The
// executor's keys and the application's key can be set apart, so that each end has only
// the secret it needs. [ClientFromEnv], [SidecarFromEnv] and [LoadSidecar] read nothing of
// the other half's environment.
//
// # Precedence
//
// An [Override], which carries an explicit option of the caller, comes before the
// environment, the environment before the file, and the file before the default. An
// environment variable that is set to nothing counts as unset.
//
// # Errors
//
// Every error is a *fault.Error with the code fault.Config, and [Problems] gives its
// parts. A key that this version knows but cannot enforce is an error unless it asks for
// exactly what is in force: nothing is accepted and then weakened. The value of an API
// key is in no error and in no printed form of a configuration; see [Secret].
package config

import (
	"log/slog"
	"slices"
	"time"
)

// Config is a whole codemode.yaml with the environment and the defaults worked in. Get
// one from [Default], [Load], [Parse] or [FromEnv]; the zero Config is not usable.
type Config struct {
	// File is the file that was read, or empty if there was none.
	File string

	Project   Project
	Framework Framework
	Executor  Executor
	GRPC      GRPC
	Log       Log
	// MCPServers are those whose tools an application adds to its registry, in the order
	// of the file.
	MCPServers []MCPServer
	// OpenAPI are the HTTP APIs whose operations it adds, in the order of the file.
	OpenAPI []OpenAPI
}

// Project describes the application.
type Project struct {
	// Name is for people to read. It may be empty.
	Name string
}

// Framework is the section "framework".
type Framework struct {
	// Type is the agent framework in use, for people to read, such as openai. It may be
	// empty.
	Type string
	// AutoDiscover says whether the tools that imported packages provide are registered;
	// see registry.Provide.
	AutoDiscover bool
}

// Executor is the section "executor": the executor's address for clients, and
// everything about running programs for the executor itself.
type Executor struct {
	// URL is as in ClientConfig.ExecutorURL.
	URL string
	// APIKey is as in ClientConfig.ExecutorAPIKey.
	APIKey Secret
	// APIKeyFile is as in ClientConfig.ExecutorAPIKeyFile.
	APIKeyFile string
	// Timeout is as in ClientConfig.Timeout.
	Timeout time.Duration
	// Python is as in SidecarConfig.Python.
	Python string
	// CacheDir is as in SidecarConfig.CacheDir.
	CacheDir string

	Limits     Limits
	Filesystem Filesystem
	Network    Network
	Execution  Execution
	Sandbox    Sandbox
	Pool       Pool
	Sessions   Sessions
	Server     Server
	Callback   Callback
}

// Server is where an executor that is a process of its own listens.
type Server struct {
	// Host is as in SidecarConfig.Host.
	Host string
	// Port is as in SidecarConfig.Port.
	Port int
	// Socket and SocketMode are as in SidecarConfig.
	Socket, SocketMode string
	// APIKeys is as in SidecarConfig.APIKeys.
	APIKeys []Secret
	// APIKeysFile is as in SidecarConfig.APIKeysFile.
	APIKeysFile string
	// HTTPAddress is as in SidecarConfig.HTTPAddress.
	HTTPAddress string
	// DrainTimeout is as in SidecarConfig.DrainTimeout.
	DrainTimeout time.Duration
	// MaxConnectionAge is as in SidecarConfig.MaxConnectionAge.
	MaxConnectionAge time.Duration
}

// GRPC is the section "grpc".
type GRPC struct{ TLS TLS }

// Log is the section "log".
type Log struct {
	// Level is as in SidecarConfig.LogLevel.
	Level slog.Level
	// Format is as in SidecarConfig.LogFormat.
	Format string
	// Audit is as in SidecarConfig.Audit.
	Audit string
}

// Client gives the half of an application that talks to an executor.
func (c *Config) Client() ClientConfig {
	client := ClientConfig{
		ExecutorURL:        c.Executor.URL,
		ExecutorAPIKey:     c.Executor.APIKey,
		ExecutorAPIKeyFile: c.Executor.APIKeyFile,
		Timeout:            c.Executor.Timeout,
		TLSEnabled:         c.GRPC.TLS.Enabled,
		TLSClientCertPath:  c.GRPC.TLS.ClientCertFile,
		TLSClientKeyPath:   c.GRPC.TLS.ClientKeyFile,
		TLSServerName:      c.GRPC.TLS.ServerName,
		CallbackListen:     c.Executor.Callback.Listen,
		CallbackURL:        c.Executor.Callback.URL,
		CallbackAPIKey:     c.Executor.Callback.APIKey,
	}
	if c.GRPC.TLS.Mode == tlsCustom {
		client.TLSCAPath = c.GRPC.TLS.CAFile
	}
	return client
}

// Sidecar gives the executor's half. Call SidecarConfig.Validate before listening on
// what it says.
func (c *Config) Sidecar() SidecarConfig {
	e := c.Executor
	s := SidecarConfig{
		APIKeys: slices.Clone(e.Server.APIKeys),

		APIKeysFile: e.Server.APIKeysFile,
		Callback:    Callback{Addresses: slices.Clone(e.Callback.Addresses), APIKey: e.Callback.APIKey},
		TLS: ServerTLS{
			Enabled: c.GRPC.TLS.Enabled, CertFile: c.GRPC.TLS.CertFile, KeyFile: c.GRPC.TLS.KeyFile,
			CAFile: c.GRPC.TLS.CAFile, ClientAuth: c.GRPC.TLS.ClientAuth,
		},
		Host:       e.Server.Host,
		Port:       e.Server.Port,
		Socket:     e.Server.Socket,
		SocketMode: e.Server.SocketMode,
		Limits:     e.Limits,
		Filesystem: e.Filesystem,
		Network:    e.Network,
		Execution:  e.Execution,
		Sandbox:    e.Sandbox,
		Pool:       e.Pool,
		Sessions:   e.Sessions,
		Python:     e.Python,
		CacheDir:   e.CacheDir,
		LogLevel:   c.Log.Level,
		LogFormat:  c.Log.Format,
		Audit:      c.Log.Audit,

		HTTPAddress:      e.Server.HTTPAddress,
		DrainTimeout:     e.Server.DrainTimeout,
		MaxConnectionAge: e.Server.MaxConnectionAge,
	}
	s.Network.AllowedDomains = slices.Clone(e.Network.AllowedDomains)
	s.Network.BlockedDomains = slices.Clone(e.Network.BlockedDomains)
	s.Execution.AllowedCommands = slices.Clone(e.Execution.AllowedCommands)
	s.Sandbox.Layers = slices.Clone(e.Sandbox.Layers)
	s.Pool.Preload = slices.Clone(e.Pool.Preload)
	return s
}
