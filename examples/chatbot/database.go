package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// A database has two ways in: programs ask questions through the one that cannot write,
// whatever the question says.
type database struct {
	read, write *sql.DB
	dialect
}

// A dialect is what SQLite and Postgres do not agree on.
type dialect struct {
	name        string
	placeholder string // of the first parameter, for people
	number      bool   // $1, $2, ... in place of ?
	create      string
	columns     string // a query for table, column and type
}

var sqlite = dialect{
	name: "SQLite", placeholder: "?",
	create: `CREATE TABLE IF NOT EXISTS weather (id INTEGER PRIMARY KEY AUTOINCREMENT, city TEXT NOT NULL, celsius REAL NOT NULL,
		conditions TEXT NOT NULL, saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')))`,
	columns: `SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid`,
}

var postgres = dialect{
	name: "PostgreSQL", placeholder: "$1", number: true,
	create: `CREATE TABLE IF NOT EXISTS weather (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, city TEXT NOT NULL,
		celsius DOUBLE PRECISION NOT NULL, conditions TEXT NOT NULL, saved_at TIMESTAMPTZ NOT NULL DEFAULT now())`,
	columns: `SELECT table_name, column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
}

// parameter is the nth of a statement, from 1.
func (d dialect) parameter(n int) string {
	if d.number {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// openDatabase opens Postgres by its URL, else a file in dir, and makes the table that
// the examples use.
func openDatabase(ctx context.Context, address, dir string) (_ *database, err error) {
	d := &database{}
	if address != "" {
		d.dialect = postgres
		if d.write, err = sql.Open("pgx", address); err == nil {
			d.read = d.write // each question is a transaction that may only read
		}
	} else {
		d.dialect = sqlite
		var file string
		if err = os.MkdirAll(dir, 0o700); err == nil {
			file, err = fileURL(filepath.Join(dir, "chat.db"))
		}
		if err == nil {
			d.write, err = sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
		}
		if err == nil {
			d.write.SetMaxOpenConns(1) // SQLite has one writer
			d.read, err = sql.Open("sqlite", file+"?mode=ro&_pragma=busy_timeout(5000)")
		}
	}
	if err == nil {
		d.read.SetMaxOpenConns(8)
		_, err = d.write.ExecContext(ctx, d.create)
	}
	if err != nil {
		// The driver's words may hold the address, and that its password: neither is shown.
		return nil, errors.Join(fmt.Errorf("cannot open the %s database: %w", d.name, redact(err, address)), d.close())
	}
	return d, nil
}

// fileURL names a file with every character that SQLite would read as something else, such
// as ?, and from the root: the first part of a relative path would be a host.
func fileURL(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = "/" + strings.TrimPrefix(filepath.ToSlash(path), "/") // a drive has no slash before it
	return (&url.URL{Scheme: "file", Path: path}).String(), nil
}

// redact leaves the address out of an error.
func redact(err error, address string) error {
	if parsed, bad := url.Parse(address); address == "" || bad == nil && parsed.User == nil {
		return err
	}
	return errors.New("is DATABASE_URL right, and does the server answer?")
}

func (d *database) close() error {
	var errs []error
	if d.read != nil && d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	return errors.Join(errs...)
}
