package main

import (
	"context"
	"math/big"
	"strings"
	"testing"
)

func TestQuestionsToSQLiteCannotWrite(t *testing.T) { tryStatements(t, "") }

// tryStatements tries to get more out of the database's tools than they are for.
func tryStatements(t *testing.T, address string) {
	t.Helper()
	ctx := context.Background()
	d, err := openDatabase(ctx, address, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	values := row{"city": `O'Hare "x"; DROP TABLE weather`, "celsius": 1.5, "conditions": "snow"}
	saved, err := d.insert(ctx, newRow{"weather", values})
	if err != nil || saved["city"] != values["city"] {
		t.Fatalf("inserted %v, %v", saved, err)
	}
	for _, statement := range []string{
		"DELETE FROM weather", "UPDATE weather SET city = 'x'", "DROP TABLE weather", "", ";", "-- SELECT",
		"SELECT 1; DELETE FROM weather", "SELECT 1;; DROP TABLE weather",
		"WITH gone AS (DELETE FROM weather RETURNING *) SELECT * FROM gone",
		"WITH x AS (SELECT 1) DELETE FROM weather", "WITH x AS (SELECT 1) INSERT INTO weather (city, celsius, conditions) SELECT 'x', 1, 'x'",
		"EXPLAIN ANALYZE DELETE FROM weather", "SELECT * INTO stolen FROM weather", "PRAGMA writable_schema = 1", "ATTACH 'x' AS y", "COMMIT", "SELECT nothing FROM nowhere",
	} {
		if rows, err := d.query(ctx, question{SQL: statement}); err == nil {
			t.Errorf("%q gave %v", statement, rows)
		}
	}
	rows, err := d.query(ctx, question{SQL: "SELECT city FROM weather WHERE id = " + d.placeholder + ";", Params: []any{saved["id"]}})
	if err != nil || len(rows) != 1 || rows[0]["city"] != values["city"] {
		t.Errorf("the row is %v, %v", rows, err)
	}
	if _, err := d.query(ctx, question{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"}); err == nil || !strings.Contains(err.Error(), "ask for less") {
		t.Errorf("endless rows: %v", err)
	}
	for _, wrong := range []newRow{
		{"weather", row{"city": "x", "id) VALUES (1); --": 1}}, {"weather; DROP TABLE weather", row{"city": "x"}}, {"sqlite_master", row{"name": "x"}},
		{"weather", row{}}, {"weather", row{"city": []any{"x"}}}, {"weather", row{"celsius": new(big.Int).Lsh(big.NewInt(1), 80)}},
	} {
		if got, err := d.insert(ctx, wrong); err == nil {
			t.Errorf("%v was inserted as %v", wrong, got)
		}
	}
	id, ok := saved["id"].(int64)
	if gone, err := d.delete(ctx, oldRow{"weather", id}); !ok || err != nil || gone["city"] != values["city"] {
		t.Errorf("deleted %v, %v", gone, err)
	}
	if _, err := d.delete(ctx, oldRow{"weather", id}); err == nil {
		t.Error("a row was deleted twice")
	}
}

func TestTheWorkspaceIsNotLeft(t *testing.T) {
	w, err := openWorkspace(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.root.Close()
	ctx := context.Background()
	for _, name := range []string{"../chat.db", "/etc/passwd", "a/../../x", "", ".", "no/such/file"} {
		if text, err := w.read(ctx, path{name}); err == nil {
			t.Errorf("%q was read: %s", name, text)
		}
	}
	for _, name := range []string{"../x", "/tmp/x", "a/../../x", "", "."} {
		if _, err := w.write(ctx, content{name, "x"}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
	if _, err := w.write(ctx, content{"notes/a.txt", strings.Repeat("x", maxFile+1)}); err == nil {
		t.Error("a file of any size was written")
	}
	if _, err := w.write(ctx, content{"notes/ä.txt", "hé"}); err != nil {
		t.Error(err)
	}
	if text, err := w.read(ctx, path{"notes/ä.txt"}); err != nil || text != "hé" {
		t.Errorf("read %q, %v", text, err)
	}
}
