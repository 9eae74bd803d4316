package main

import (
	"context"
	"errors"

	"github.com/codemode-sdk/codemode/registry"
)

// The tools are the Go functions that programs may call, with what they hold open. Those
// of MCP servers come to them when the registry is started, from codemode.yaml.
type tools struct {
	registry  *registry.Registry
	database  *database
	workspace *workspace
}

func openTools(ctx context.Context, set settings) (_ *tools, err error) {
	t := &tools{registry: registry.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if t.database, err = openDatabase(ctx, set.database, set.data); err != nil {
		return nil, err
	}
	if t.workspace, err = openWorkspace(set.data); err != nil {
		return nil, err
	}
	return t, errors.Join(addWeather(t.registry), t.database.addTools(t.registry), t.workspace.addTools(t.registry))
}

func (t *tools) close() error {
	var errs []error
	if t.database != nil {
		errs = append(errs, t.database.close())
	}
	if t.workspace != nil {
		errs = append(errs, t.workspace.root.Close())
	}
	return errors.Join(errs...)
}
