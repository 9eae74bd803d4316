package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// FileName is the file that Load looks for in the working directory.
const FileName = "codemode.yaml"

// An Override is an explicit option of the caller. It comes before everything else, and
// what has its default from the key follows it.
type Override struct {
	// Key is a dotted path, such as executor.limits.code_timeout.
	Key string
	// Value is read as in a file, except that ${NAME} is not expanded and that lists are
	// separated by commas.
	Value string
	// Source names the option in errors, such as --timeout. If empty, "option".
	Source string
}

// Default gives the configuration that reads neither a file nor the environment.
func Default() *Config {
	c, err := parse(readByClient|readBySidecar, "", nil, nil, nil)
	if err != nil {
		panic("config: the table of keys contradicts itself: " + err.Error()) // a test holds the table to this
	}
	return c
}

// Load reads a file and the environment of the process. If path is empty, the file is
// the one that CODEMODE_CONFIG names, else codemode.yaml in the working directory if it
// exists, else none.
func Load(path string, overrides ...Override) (*Config, error) {
	return find(readByClient|readBySidecar, path, overrides)
}

// LoadSidecar is Load for a process that is only an executor: the client's variables are
// not looked at, and neither is what a file says of MCP servers, whose secrets an executor
// need not have.
func LoadSidecar(path string, overrides ...Override) (*Config, error) {
	return find(readBySidecar, path, overrides)
}

func find(scope readers, path string, overrides []Override) (*Config, error) {
	if path == "" && os.Getenv("CODEMODE_CONFIG") == "" {
		if _, err := os.Lstat(FileName); err == nil {
			path = FileName
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Wrap(fault.Config, err, "cannot look for %s", FileName)
		}
	}
	return load(scope, path, overrides)
}

// Parse reads a file's contents; name is for errors, and for Config.File. A nil getenv is
// an empty environment.
func Parse(name string, data []byte, getenv func(string) string, overrides ...Override) (*Config, error) {
	return parse(readByClient|readBySidecar, name, data, getenv, overrides)
}

// ParseSidecar is Parse for a process that is only an executor; see LoadSidecar.
func ParseSidecar(name string, data []byte, getenv func(string) string, overrides ...Override) (*Config, error) {
	return parse(readBySidecar, name, data, getenv, overrides)
}

// FromEnv reads the environment of the process, and a file only if CODEMODE_CONFIG names
// one.
func FromEnv(overrides ...Override) (*Config, error) {
	return load(readByClient|readBySidecar, "", overrides)
}

// ClientFromEnv is FromEnv for a process that is only a client: the executor's variables
// are not looked at.
func ClientFromEnv(overrides ...Override) (ClientConfig, error) {
	c, err := load(readByClient, "", overrides)
	if err != nil {
		return ClientConfig{}, err
	}
	return c.Client(), nil
}

// SidecarFromEnv is FromEnv for a process that is only an executor: the client's
// variables are not looked at. The configuration has passed SidecarConfig.Validate.
func SidecarFromEnv(overrides ...Override) (SidecarConfig, error) {
	c, err := load(readBySidecar, "", overrides)
	if err != nil {
		return SidecarConfig{}, err
	}
	s := c.Sidecar()
	if err := s.Validate(); err != nil {
		return SidecarConfig{}, err
	}
	return s, nil
}

func load(scope readers, path string, overrides []Override) (*Config, error) {
	if path == "" {
		path = os.Getenv("CODEMODE_CONFIG")
	}
	if path == "" {
		return parse(scope, "", nil, os.Getenv, overrides)
	}
	data, err := readFile(path)
	if err != nil {
		problem := fault.Wrap(fault.Config, err, "cannot read the configuration")
		if errors.Is(err, fs.ErrNotExist) {
			problem = problem.WithRemedy("codemode init writes one")
		}
		return nil, problem
	}
	return parse(scope, path, data, os.Getenv, overrides)
}

// readFile reads one byte more than is allowed, for the parser to complain about.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// origin is where a setting comes from.
type origin struct {
	file         string
	line, column int
	source       string
}

// settings is a configuration in the making.
type settings struct {
	scope  readers
	config *Config
	getenv func(string) string
	// given holds where each key that is not left to its default was set.
	given    map[string]origin
	problems problems
}

func (s *settings) report(o origin, key, message string) {
	s.problems.add(&Problem{File: o.file, Line: o.line, Column: o.column, Source: o.source, Key: key, Message: message})
}

// settle notes that a key was given, with what was written and what is wrong with it.
func (s *settings) settle(o origin, k *key, written string, err error) {
	s.given[k.path] = o
	if err == nil {
		return
	}
	if k.secret {
		s.report(o, k.path, "the value "+err.Error())
		return
	}
	s.report(o, k.path, cite(written)+" "+err.Error())
}

func parse(scope readers, name string, data []byte, getenv func(string) string, overrides []Override) (*Config, error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	s := &settings{scope: scope, config: &Config{File: name}, getenv: getenv, given: map[string]origin{}}
	for i := range keys {
		if keys[i].initial == "" {
			continue
		}
		if err := s.apply(&keys[i], keys[i].initial); err != nil {
			s.report(origin{source: "default"}, keys[i].path, err.Error())
		}
	}
	s.read(name, data)
	s.shareKey()
	s.environment(scope)
	s.override(overrides)
	for i := range keys {
		if _, given := s.given[keys[i].path]; !given && keys[i].derive != nil {
			keys[i].derive(s.config)
		}
	}
	if len(s.problems.list) == 0 { // half-read values would only contradict themselves
		for _, p := range contradictions(s.config) {
			s.report(s.given[p.Key], p.Key, p.Message)
		}
	}
	if err := s.problems.err("the configuration"); err != nil {
		return nil, err
	}
	return s.config, nil
}

// apply sets a key from one text outside a file.
func (s *settings) apply(k *key, text string) error {
	if k.set != nil {
		return k.set(s.config, text)
	}
	return k.setList(s.config, commaList(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")))
}

// shareKey lets one executor.api_key in a file serve both ends, before the environment
// gives either end a key of its own.
func (s *settings) shareKey() {
	e := &s.config.Executor
	if _, given := s.given["executor.server.api_keys"]; !given && e.APIKey.IsSet() {
		e.Server.APIKeys = []Secret{e.APIKey}
	}
}

// environment applies the variables of the keys that are in scope.
func (s *settings) environment(scope readers) {
	for i := range keys {
		k := &keys[i]
		if k.readers&scope == 0 {
			continue
		}
		for _, name := range k.env {
			text := s.getenv(name)
			if text == "" {
				continue
			}
			if !k.secret { // a key with a stray line end is an error, not something to guess about
				text = strings.TrimSpace(text)
			}
			err := s.apply(k, text)
			if err != nil && strings.HasPrefix(text, "tcp://") {
				err = fmt.Errorf("%w (Kubernetes sets this variable for a Service that is called codemode: "+
					"rename the Service, or set enableServiceLinks: false)", err)
			}
			s.settle(origin{source: "environment variable " + name}, k, text, err)
			break
		}
	}
}

func (s *settings) override(overrides []Override) {
	for _, o := range overrides {
		from := origin{source: o.Source}
		if o.Source == "" {
			from.source = "option"
		}
		k := findKey(o.Key)
		if k == nil {
			all := make([]string, len(keys))
			for i := range keys {
				all[i] = keys[i].path
			}
			s.report(from, "", "unknown key "+quote(o.Key)+didYouMean(o.Key, all))
			continue
		}
		s.settle(from, k, o.Value, s.apply(k, o.Value))
	}
}

// contradictions are keys that are fine alone and not together.
func contradictions(c *Config) []*Problem {
	var found []*Problem
	if p := c.Executor.Pool; p.MinReady > p.MaxWorkers {
		found = append(found, &Problem{Key: "executor.pool.min_ready",
			Message: fmt.Sprintf("%d is more than executor.pool.max_workers, %d", p.MinReady, p.MaxWorkers)})
	}
	if n := c.Executor.Sessions.Max; n >= c.Executor.Pool.MaxWorkers {
		found = append(found, &Problem{Key: "executor.sessions.max",
			Message: fmt.Sprintf("%d is not less than executor.pool.max_workers, %d: programs without a session would find no worker", n, c.Executor.Pool.MaxWorkers)})
	}
	if c.Executor.Sessions.Max > 0 && c.Executor.Execution.AllowDirectExecution {
		found = append(found, &Problem{Key: "executor.sessions.max",
			Message: "sessions cannot be had with executor.execution.allow_direct_execution: commands that a run leaves behind could not be held still between the runs"})
	}
	found = append(found, networkContradictions(c.Executor.Network)...)
	if call := c.Executor.Callback; call.Listen != "" && call.URL == "" {
		found = append(found, &Problem{Key: "executor.callback.listen",
			Message: "the executor has to be told how it reaches that: set executor.callback.url"})
	} else if call.Listen == "" && call.URL != "" {
		found = append(found, &Problem{Key: "executor.callback.url",
			Message: "the application serves its tools nowhere: set executor.callback.listen"})
	}
	found = append(found, tlsContradictions(c.GRPC.TLS)...)
	return append(found, fileContradictions(c)...)
}

// UnknownVariables gives a line for each variable of an environment, in the form of
// os.Environ, that begins with CODEMODE_ and is none of ours, with the nearest that is.
// They are no error: Kubernetes makes such names from the names of Services. The values
// are not shown.
func UnknownVariables(environ []string) []string {
	return unknownVariables(environ, func(string) bool { return true })
}

// MisspelledVariables gives those of UnknownVariables that are nearly one of ours: in an
// application's environment the others may be the application's.
func MisspelledVariables(environ []string) []string {
	return unknownVariables(environ, func(hint string) bool { return hint != "" })
}

// unknownVariables gives the lines of those variables with whose hint they are wanted.
func unknownVariables(environ []string, wanted func(hint string) bool) []string {
	// What all begin with makes no two of them alike.
	const prefix = "CODEMODE_"
	var known, ends []string
	for _, v := range otherVariables {
		known = append(known, v.name)
	}
	for _, k := range keys {
		known = append(known, k.env...)
	}
	for _, name := range known {
		if end, found := strings.CutPrefix(name, prefix); found {
			ends = append(ends, end)
		}
	}
	var lines []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		end, ours := strings.CutPrefix(name, prefix)
		if !ours || slices.Contains(known, name) {
			continue
		}
		hint := suggest(prefix, nearest(end, ends))
		if wanted(hint) {
			lines = append(lines, name+" is not read by codemode"+hint)
		}
	}
	slices.Sort(lines)
	return lines
}
