package config

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// reservedTrees are where programs find their interpreter's libraries and devices, or
// where the kernel shows what it knows: no mount may hide or reach them.
var reservedTrees = []string{"/proc", "/sys", "/dev", "/lib", "/lib32", "/lib64", "/usr", "/bin", "/sbin", "/etc", "/boot"}

// readMount checks the path at which programs see a directory.
func readMount(text string) (string, error) {
	switch {
	case !path.IsAbs(text) || strings.ContainsFunc(text, isControl):
		return "", errors.New("is not an absolute path such as /workspace")
	case path.Clean(text) == "/":
		return "", errors.New("is the root directory: name a directory such as /workspace")
	}
	text = path.Clean(text)
	for _, tree := range reservedTrees {
		if text == tree || strings.HasPrefix(text, tree+"/") {
			return "", errors.New("lies in " + tree + ", which belongs to the system: choose a path such as /workspace")
		}
	}
	return text, nil
}

func mount(name, derived, doc string, at func(*Config) *Mount) key {
	return key{path: "executor.filesystem." + name + ".mount", readers: readBySidecar, example: "/" + name, derived: derived, doc: doc,
		value: optionalText("path", "an absolute path outside the system's directories", func(c *Config) *string { return &at(c).Mount }, readMount)}
}

func readonly(name, initial, doc string, at func(*Config) *Mount) key {
	return key{path: "executor.filesystem." + name + ".readonly", readers: readBySidecar, initial: initial, doc: doc,
		value: boolean(func(c *Config) *bool { return &at(c).Readonly })}
}

// readSource checks the path of the directory behind a mount.
func readSource(text string) (string, error) {
	if !path.IsAbs(text) || strings.ContainsFunc(text, isControl) || path.Clean(text) == "/" {
		return "", errors.New("is not the absolute path of a directory, such as /srv/data")
	}
	return path.Clean(text), nil
}

// maxCommands bounds executor.execution.allowed_commands.
const maxCommands = 100

// commands is a list of programs; whether they exist is found out by the executor.
func commands(at func(*Config) *[]string) value {
	setList := func(c *Config, items []string) error {
		if len(items) > maxCommands {
			return errors.New("has more than 100 commands")
		}
		var all []string
		for _, item := range items {
			switch {
			case item == "" || item == "." || item == ".." || strings.ContainsFunc(item, isControl):
				return errors.New("has an element that names no command")
			case strings.Contains(item, "/") && (!path.IsAbs(item) || path.Clean(item) != item):
				return errors.New("has a relative path: write a name such as git, or a path such as /usr/bin/git")
			case strings.ContainsAny(item, " \t*?[]{}$;|&<>`'\"\\"):
				return errors.New("has an element that is more than the name or the path of a command: arguments and patterns have no place here")
			case slices.Contains(all, item):
				return errors.New("has a command twice")
			}
			all = append(all, item)
		}
		*at(c) = all
		return nil
	}
	return value{
		unit: "list", accepts: "a list of names or absolute paths of commands, such as [git, /usr/bin/jq]",
		setList: setList,
		text:    func(c *Config) string { return "[" + strings.Join(*at(c), ", ") + "]" },
		recheck: func(scratch, from *Config) error { return setList(scratch, *at(from)) },
	}
}

// fileContradictions are those of executor.filesystem and executor.execution.
func fileContradictions(c *Config) []*Problem {
	var found []*Problem
	f := c.Executor.Filesystem
	mounts := []struct{ name, path string }{
		{"workspace", f.Workspace.Mount}, {"sandbox", f.Sandbox.Mount}, {"outputs", f.Outputs.Mount},
	}
	if mounts[1].path == "" {
		mounts[1].path = DefaultSandboxMount
	}
	for i, m := range mounts {
		for _, other := range mounts[:i] {
			if m.path == "" || other.path == "" || !within(m.path, other.path) && !within(other.path, m.path) {
				continue
			}
			found = append(found, &Problem{Key: "executor.filesystem." + m.name + ".mount",
				Message: quote(m.path) + " and executor.filesystem." + other.name + ".mount, " + quote(other.path) +
					", are not apart: one would hide or hold the other"})
		}
	}
	if f.Workspace.Source != "" && f.Workspace.Mount == "" {
		found = append(found, &Problem{Key: "executor.filesystem.workspace.source",
			Message: "has no effect without executor.filesystem.workspace.mount: set it, or remove the source"})
	}
	for _, m := range []struct{ name, source string }{{"sandbox", f.Sandbox.Source}, {"outputs", f.Outputs.Source}} {
		if m.source != "" { // only a program can set it
			found = append(found, &Problem{Key: "executor.filesystem." + m.name + ".mount", Message: "has a source, which only the workspace takes"})
		}
	}
	x := c.Executor.Execution
	switch {
	case x.AllowDirectExecution && len(x.AllowedCommands) == 0:
		found = append(found, &Problem{Key: "executor.execution.allow_direct_execution",
			Message: "allows nothing without executor.execution.allowed_commands: name the commands"})
	case !x.AllowDirectExecution && len(x.AllowedCommands) > 0:
		found = append(found, &Problem{Key: "executor.execution.allowed_commands",
			Message: "has no effect without executor.execution.allow_direct_execution: set that to true, or remove the list"})
	}
	return found
}

// within says whether a path is another, or lies below it.
func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, outer+"/")
}
