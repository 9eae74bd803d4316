package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// measurements is a file of a new workspace: sample data, of a size that one would not
// want a model to read. Seasons are sines, and the weather on top of them is other sines.
func measurements() string {
	var csv strings.Builder
	csv.WriteString("date,city,celsius,rain_mm\n")
	for _, city := range []struct {
		name          string
		mean, swing   float64 // degrees over the year
		warmest, rain float64 // day of the year; millimetres
	}{
		{"Oslo", 6, 11, 200, 4}, {"Rome", 16, 9, 212, 3}, {"Sydney", 18, 5, 25, 5},
	} {
		for day := range 365 {
			n := float64(day)
			celsius := city.mean + city.swing*math.Cos(2*math.Pi*(n-city.warmest)/365) + 2.5*math.Sin(n*0.9) + 1.5*math.Sin(n*2.3)
			rain := max(0, city.rain*(math.Sin(n*1.7)+math.Sin(n*0.61)-0.8))
			date := time.Date(2025, time.January, 1+day, 0, 0, 0, 0, time.UTC)
			fmt.Fprintf(&csv, "%s,%s,%.1f,%.1f\n", date.Format(time.DateOnly), city.name, celsius, rain)
		}
	}
	return csv.String()
}
