package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// collect reads all rows, and closes them. More than a program should get at once is an
// error that says so, and not fewer rows. It calls stop then, which ends the query: closing
// alone would wait for rows that nobody wants.
func collect(rows *sql.Rows, stop func()) (_ []row, err error) {
	defer func() {
		if closed := rows.Close(); err == nil { // after stop it says no more than that
			err = closed
		}
	}()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	all, size := []row{}, 0
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		one := row{}
		for i, name := range columns {
			one[name] = values[i]
			size += len(name) + sizeOf(values[i])
		}
		all = append(all, one)
		if len(all) > maxRows || size > maxBytes {
			stop()
			return nil, fmt.Errorf("the answer has more than %d rows or %d bytes; ask for less, or for an aggregate", maxRows, maxBytes)
		}
	}
	return all, rows.Err()
}

func sizeOf(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 8
}

// storable refuses what a column cannot hold, in words that are about Python.
func storable(values ...any) error {
	for _, value := range values {
		switch value.(type) {
		case nil, bool, int64, float64, string, []byte, time.Time:
		case *big.Int:
			return errors.New("an int of more than 64 bits cannot be stored; make it a str")
		default:
			return errors.New("a list, dict or other object cannot be stored; make it a str, with json.dumps for instance")
		}
	}
	return nil
}
