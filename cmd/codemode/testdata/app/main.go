// App is the deployment guide's application, with a program in place of the model's. It
// stands in for examples/chatbot.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

const program = `
answer = tools.weather(city='NYC')
tools.save(text=answer)
[answer, tools.count()]
`

func main() {
	cm, err := codemode.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	registry.Func(cm.Registry(), "weather", "Says how the weather is.", func(_ context.Context, in struct {
		City string `json:"city"`
	}) (string, error) {
		return "sunny in " + in.City, nil
	})
	registry.Func(cm.Registry(), "save", "Saves a text.", func(ctx context.Context, in struct {
		Text string `json:"text"`
	}) (string, error) {
		return sql(ctx, "CREATE TABLE IF NOT EXISTS notes (text text); INSERT INTO notes VALUES (:'text')", "--set=text="+in.Text)
	})
	registry.Func(cm.Registry(), "count", "Counts what is saved.", func(ctx context.Context, _ struct{}) (string, error) {
		return sql(ctx, "SELECT count(*) FROM notes")
	})
	http.HandleFunc("POST /chat", func(w http.ResponseWriter, r *http.Request) {
		result, err := cm.Execute(r.Context(), program)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"result": result.Value, "status": result.Status, "error": result.Error}); err != nil {
			log.Print(err)
		}
	})
	server := &http.Server{Addr: ":8000", ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// sql asks the database, which only the application reaches.
func sql(ctx context.Context, statement string, flags ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "psql", append(flags, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--file=-", os.Getenv("DATABASE_URL"))...)
	cmd.Stdin = strings.NewReader(statement)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
