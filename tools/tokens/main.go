// Tokens counts what texts cost a model: it reads a JSON object of texts from standard
// input and prints one of the same names, with the tokens of each in the o200k_base
// vocabulary. It is a module of its own, for tests alone: nothing that is shipped counts
// tokens or carries a vocabulary.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tokens:", err)
		os.Exit(1)
	}
}

func run() error {
	texts := map[string]string{}
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	tiktoken.SetBpeLoader(loader.NewOfflineLoader())
	encoding, err := tiktoken.GetEncoding("o200k_base")
	if err != nil {
		return err
	}
	counts := make(map[string]int, len(texts))
	for name, text := range texts {
		counts[name] = len(encoding.Encode(text, nil, nil))
	}
	return json.NewEncoder(os.Stdout).Encode(counts)
}
