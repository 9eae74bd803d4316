package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestQuickstartShowsARunFromTheProgramToTheResult(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	shown := out.String()
	first, err := fingerprint(context.Background(), document{`{"currency": "EUR", "customer": {"address": {"city": "Turin", "country": "IT"}, "name": "Ada"}, ` +
		`"id": "A-17", "lines": [{"quantity": 2, "sku": "lamp", "unit_price": 39.9}, {"quantity": 6, "sku": "bulb", "unit_price": 4.25}], "status": "paid"}`})
	if err != nil {
		t.Fatal(err)
	}
	// In this order.
	for _, part := range []string{
		program,
		"\n  -> orders.search  {\"min_items\":2,\"status\":\"paid\"}\n",
		"\n  <- orders.search  [{",
		"\n  !! exchange_rate  ToolError: there is no rate for XAU\n",
		"\n  -> fingerprint ", "\n  -> fingerprint ", "\n  -> fingerprint ", "\n  -> fingerprint ",
		"\n  <- fingerprint ", "\n  <- fingerprint ", "\n  <- fingerprint ", "\n  <- fingerprint ",
		"\n4 paid orders with two items or more\nA-20 left out: there is no rate for XAU\n",
		`"SE": 145.42,`,
		`"A-17": "` + first[:12] + `",`,
		`"median": 145.42,`,
		" in real CPython, isolated by ",
	} {
		_, after, found := strings.Cut(shown, part)
		if !found {
			t.Fatalf("%q is not shown, or not in its place:\n%s", part, out.String())
		}
		shown = "\n" + after // the next part may begin a line
	}
	for line := range strings.Lines(out.String()) {
		if len(strings.TrimRight(line, "\n")) > 120 {
			t.Errorf("wider than a terminal: %s", line)
		}
	}
}
