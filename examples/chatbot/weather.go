package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/registry"
)

//go:embed weather.json
var weatherJSON []byte

// weatherDelay is how long the sample service takes, so that one sees calls overlap.
const weatherDelay = 120 * time.Millisecond

type weather struct {
	City       string  `json:"city"`
	Celsius    float64 `json:"celsius"`
	Conditions string  `json:"conditions"`
	Humidity   int     `json:"humidity" jsonschema:"description=percent"`
	WindKMH    float64 `json:"wind_kmh"`
	Source     string  `json:"source"`
}

type place struct {
	City string `json:"city" jsonschema:"description=such as Oslo or NYC"`
}

// addWeather registers the tool weather, which reads a table that comes with the example.
func addWeather(reg *registry.Registry) error {
	var table []struct {
		weather
		Also []string `json:"also"`
	}
	if err := json.Unmarshal(weatherJSON, &table); err != nil {
		return fmt.Errorf("weather.json: %w", err)
	}
	byName := map[string]weather{}
	var names []string
	for _, row := range table {
		row.Source = "sample data of the example, not a forecast"
		names = append(names, row.City)
		for _, name := range append(row.Also, row.City) {
			byName[strings.ToLower(name)] = row.weather
		}
	}
	slices.Sort(names)
	return registry.Func(reg, "weather", "Looks up the weather of a city. It is sample data, for a few cities.",
		func(ctx context.Context, in place) (weather, error) {
			select {
			case <-time.After(weatherDelay):
			case <-ctx.Done():
				return weather{}, ctx.Err()
			}
			found, ok := byName[strings.ToLower(strings.TrimSpace(in.City))]
			if !ok {
				return weather{}, fmt.Errorf("the sample data has no city %q; it has %s", in.City, strings.Join(names, ", "))
			}
			return found, nil
		}, registry.Policy{ReadOnly: true, Idempotent: true})
}
