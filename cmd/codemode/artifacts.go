package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
)

// defaultOutputs is where programs leave files for --artifacts if nothing else is configured.
const defaultOutputs = "/outputs"

// showOutputs gives programs of the executor in this process a directory for what they
// leave, if the configuration gives them none. Other executors have their own.
func showOutputs(cfg *config.Config) {
	outputs := &cfg.Executor.Filesystem.Outputs
	if cfg.Executor.URL == config.Embedded && outputs.Mount == "" {
		outputs.Mount = defaultOutputs
	}
}

// writeArtifacts writes a run's files below a directory, which is made if need be. A
// program chose the names: none of them, and no link that is there already, leads out of
// it. Files that the executor left out are named in notes.
func writeArtifacts(directory string, artifacts []codemode.Artifact, notes io.Writer) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("cannot write the artifacts: %w", err)
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return fmt.Errorf("cannot write the artifacts: %w", err)
	}
	var errs []error
	for _, a := range artifacts {
		switch {
		case a.Name == "" && a.Omitted != "":
			fmt.Fprintf(notes, "codemode exec: artifacts left out: %q\n", a.Omitted)
		case a.Omitted != "":
			fmt.Fprintf(notes, "codemode exec: artifact %q left out: %q\n", a.Name, a.Omitted)
		default:
			if err := writeArtifact(root, a); err != nil {
				errs = append(errs, fmt.Errorf("cannot write the artifact %q: %w", a.Name, err))
			}
		}
	}
	return errors.Join(append(errs, root.Close())...)
}

func writeArtifact(root *os.Root, a codemode.Artifact) error {
	if parent := path.Dir(a.Name); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	// Not into what is there: that may be a pipe, or another name of a file elsewhere.
	if err := root.Remove(a.Name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(a.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(a.Data)
	return errors.Join(err, f.Close())
}
