package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/codemode-sdk/codemode/registry"
)

// register adds the tools. What goes wrong here is kept in reg, and codemode.New fails.
func register(reg *registry.Registry) {
	registry.Func(reg, "orders.search", "Finds orders.", searchOrders)
	registry.Func(reg, "exchange_rate", "Tells what one unit of a currency is worth in euros.", exchangeRate)
	registry.Func(reg, "fingerprint", "Computes a fingerprint of a text, slowly.", fingerprint)
}

// A query is the arguments of orders.search.
type query struct {
	Status   string `json:"status" jsonschema:"enum=paid,enum=open"`
	MinItems int    `json:"min_items,omitempty" jsonschema:"description=Only orders with at least so many items"`
}

type order struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Currency string   `json:"currency" jsonschema:"description=ISO 4217"`
	Customer customer `json:"customer"`
	Lines    []line   `json:"lines"`
}

type customer struct {
	Name    string  `json:"name"`
	Address address `json:"address"`
}

type address struct {
	City    string `json:"city"`
	Country string `json:"country"`
}

type line struct {
	SKU       string  `json:"sku"`
	Quantity  int     `json:"quantity"`
	UnitPrice float64 `json:"unit_price"`
}

var table = []order{
	{"A-17", "paid", "EUR", customer{"Ada", address{"Turin", "IT"}}, []line{{"lamp", 2, 39.9}, {"bulb", 6, 4.25}}},
	{"A-18", "open", "EUR", customer{"Max", address{"Graz", "AT"}}, []line{{"desk", 1, 240}}},
	{"A-19", "paid", "USD", customer{"Joan", address{"Boston", "US"}}, []line{{"chair", 4, 89.5}}},
	{"A-20", "paid", "XAU", customer{"Midas", address{"Ankara", "TR"}}, []line{{"cup", 3, 1.5}}},
	{"A-21", "paid", "SEK", customer{"Elsa", address{"Lund", "SE"}}, []line{{"shelf", 2, 799}}},
	{"A-22", "paid", "EUR", customer{"Ugo", address{"Milan", "IT"}}, []line{{"bulb", 1, 4.25}}},
}

// euros are what one unit of a currency is worth.
var euros = map[string]float64{"EUR": 1, "USD": 0.86, "SEK": 0.091}

func searchOrders(_ context.Context, q query) ([]order, error) {
	found := []order{}
	for _, o := range table {
		items := 0
		for _, l := range o.Lines {
			items += l.Quantity
		}
		if o.Status == q.Status && items >= q.MinItems {
			found = append(found, o)
		}
	}
	return found, nil
}

type money struct {
	Currency string `json:"currency"`
}

// exchangeRate fails for most of the world's currencies.
func exchangeRate(_ context.Context, m money) (float64, error) {
	rate, ok := euros[m.Currency]
	if !ok {
		return 0, fmt.Errorf("there is no rate for %s", m.Currency)
	}
	return rate, nil
}

type document struct {
	Text string `json:"text"`
}

// fingerprint keeps a processor busy, and stops when the run does.
func fingerprint(ctx context.Context, d document) (string, error) {
	sum := sha256.Sum256([]byte(d.Text))
	for i := range 1_000_000 {
		if i%1000 == 0 && ctx.Err() != nil {
			return "", ctx.Err()
		}
		sum = sha256.Sum256(sum[:])
	}
	return hex.EncodeToString(sum[:]), nil
}
