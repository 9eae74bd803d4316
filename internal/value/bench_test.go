package value_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/value"
)

type benchRow struct {
	ID     int64          `json:"id"`
	Title  string         `json:"title"`
	Labels []string       `json:"labels"`
	Score  float64        `json:"score"`
	Extra  map[string]any `json:"extra"`
}

func benchRows() []benchRow {
	rows := make([]benchRow, 100)
	for i := range rows {
		rows[i] = benchRow{int64(i), "An issue with a title of some length", []string{"bug", "help wanted"}, 0.5, map[string]any{"a": 1.5, "b": "c"}}
	}
	return rows
}

// The standard library beside us is the floor.
func BenchmarkEncode(b *testing.B) {
	rows := benchRows()
	b.Run("value", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = value.Append(buf[:0], rows); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			data, err := json.Marshal(rows)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data, err := value.Encode(benchRows())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("value/any", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := value.Decode(data, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json/any", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("value/struct", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var v []benchRow
			if err := value.DecodeInto(data, 0, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json/struct", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var v []benchRow
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a small call", func(b *testing.B) {
		small := []byte(`{"city":"NYC","days":3}`)
		for b.Loop() {
			var v struct {
				City string `json:"city"`
				Days int    `json:"days"`
			}
			if err := value.DecodeInto(small, 0, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeLongInteger(b *testing.B) {
	data := []byte(strings.Repeat("7", value.MaxDigits))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := value.Decode(data, 0); err != nil {
			b.Fatal(err)
		}
	}
}
