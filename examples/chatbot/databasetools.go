package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/registry"
)

const (
	maxRows  = 1000
	maxBytes = 1 << 20 // of the rows of one query
)

type row = map[string]any

type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type table struct {
	Table   string   `json:"table"`
	Columns []column `json:"columns"`
}

type question struct {
	SQL    string `json:"sql"`
	Params []any  `json:"params,omitempty" jsonschema:"description=values for the parameters of the statement"`
}

type newRow struct {
	Table  string `json:"table"`
	Values row    `json:"values" jsonschema:"description=column to value"`
}

type oldRow struct {
	Table string `json:"table"`
	ID    int64  `json:"id"`
}

func (d *database) addTools(reg *registry.Registry) error {
	limits := registry.Policy{Timeout: 10 * time.Second, ResultBytes: 2 * maxBytes, Concurrency: 8}
	read, insert, remove := limits, limits, limits
	read.ReadOnly = true
	remove.Destructive, remove.RequireApproval = true, true
	return errors.Join(
		registry.Func(reg, "database.schema", "Lists the tables of the "+d.name+" database with their columns.",
			func(ctx context.Context, _ struct{}) ([]table, error) { return d.schema(ctx) }, read),
		registry.Func(reg, "database.query", fmt.Sprintf("Gives the rows of one SELECT of %s, %d at most. Parameters are written %s.", d.name, maxRows, d.placeholder), d.query, read),
		registry.Func(reg, "database.insert", "Inserts a row into a table, and gives it back with its id.", d.insert, insert),
		registry.Func(reg, "database.delete", "Deletes the row with this id from a table, and gives it back. A person is asked first.", d.delete, remove),
	)
}

func (d *database) schema(ctx context.Context) ([]table, error) {
	rows, err := d.read.QueryContext(ctx, d.columns)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := []table{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.Name, &c.Type); err != nil {
			return nil, err
		}
		if n := len(tables); n == 0 || tables[n-1].Table != name {
			tables = append(tables, table{Table: name})
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, c)
	}
	return tables, rows.Err()
}

var reads = regexp.MustCompile(`(?i)^\s*(select|with|values|explain)\b`)

// query runs one statement that can only read: what holds that is the transaction, and
// with SQLite the file, which is opened for reading. The words are looked at so that
// nothing but a question gets there.
func (d *database) query(ctx context.Context, in question) ([]row, error) {
	statement := strings.TrimRight(strings.TrimSpace(in.SQL), ";")
	if !reads.MatchString(statement) || strings.Contains(statement, ";") {
		return nil, errors.New("only one SELECT can be asked, with no semicolon in it; values with one go into params")
	}
	if err := storable(in.Params...); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	rows, err := tx.QueryContext(ctx, statement, in.Params...)
	if err != nil {
		return nil, err
	}
	return collect(rows, stop)
}

// insert names only what the schema has, so that no name can be SQL.
func (d *database) insert(ctx context.Context, in newRow) (row, error) {
	columns, err := d.columnsOf(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	var names, places []string
	var values []any
	for name, value := range in.Values {
		if !slices.Contains(columns, name) {
			return nil, fmt.Errorf("the table %s has no column %q; it has %s", in.Table, name, strings.Join(columns, ", "))
		}
		names, values = append(names, quote(name)), append(values, value)
		places = append(places, d.parameter(len(values)))
	}
	if err := storable(values...); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there are no values to insert")
	}
	return d.change(ctx, "INSERT INTO "+quote(in.Table)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+") RETURNING *", values...)
}

func (d *database) delete(ctx context.Context, in oldRow) (row, error) {
	columns, err := d.columnsOf(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(columns, "id") {
		return nil, fmt.Errorf("the table %s has no column id", in.Table)
	}
	deleted, err := d.change(ctx, "DELETE FROM "+quote(in.Table)+" WHERE id = "+d.parameter(1)+" RETURNING *", in.ID)
	if err == nil && deleted == nil {
		return nil, fmt.Errorf("the table %s has no row with id %d", in.Table, in.ID)
	}
	return deleted, err
}

// change runs a statement that gives one row back, or none.
func (d *database) change(ctx context.Context, statement string, values ...any) (row, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rows, err := d.write.QueryContext(ctx, statement, values...)
	if err != nil {
		return nil, err
	}
	changed, err := collect(rows, stop)
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	return changed[0], nil
}

func (d *database) columnsOf(ctx context.Context, name string) ([]string, error) {
	tables, err := d.schema(ctx)
	if err != nil {
		return nil, err
	}
	var known, columns []string
	for _, t := range tables {
		known = append(known, t.Table)
		if t.Table == name {
			for _, c := range t.Columns {
				columns = append(columns, c.Name)
			}
			return columns, nil
		}
	}
	return nil, fmt.Errorf("there is no table %q; there are %s", name, strings.Join(known, ", "))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
