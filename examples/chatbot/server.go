package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

const (
	maxBody  = 64 << 10 // bytes of a request
	maxTurns = 128      // under way at once; further ones are refused
)

// bodyTime bounds how long a request may take to arrive.
var bodyTime = 30 * time.Second

//go:embed page
var page embed.FS

// A server is the chat. It owns its turns: they go on when a page is closed, and end with
// the server.
type server struct {
	cm            *codemode.Codemode
	model         Model
	conversations conversations

	ctx    context.Context // of everything that outlives a request
	cancel context.CancelFunc
	turns  sync.WaitGroup
	places chan struct{}
}

func newServer(cm *codemode.Codemode, model Model) *server {
	s := &server{cm: cm, model: model, places: make(chan struct{}, maxTurns)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// close ends the turns and waits for them.
func (s *server) close() {
	s.cancel()
	s.turns.Wait()
}

func (s *server) handler(addr net.Addr) http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the embedded directory has this name
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /health", s.health)
	for _, path := range []string{"/chat", "/chat/stream"} { // which the files' pattern would take
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", http.MethodPost)
			fail(w, http.StatusMethodNotAllowed, errors.New(`it takes a POST of {"message": "..."}; the page is at /`))
		})
	}
	mux.HandleFunc("POST /chat", s.chat)
	mux.HandleFunc("POST /chat/stream", s.chatStream)
	mux.HandleFunc("GET /conversations/{id}/events", s.with(s.events))
	mux.HandleFunc("POST /conversations/{id}/stop", s.with(s.stop))
	mux.HandleFunc("POST /conversations/{id}/approvals/{number}", s.with(s.approval))
	return guard(addr, mux)
}

// guard is for every answer. The chat has no accounts: what protects it is that it listens
// on this machine alone, that other web pages cannot use the browser to reach it, and that
// its own page runs no script but those in the binary.
func guard(addr net.Addr, next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	tcp, ok := addr.(*net.TCPAddr)
	local := ok && tcp.IP.IsLoopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		if local && !loopback(r.Host) {
			// A name of somebody else's that leads here: DNS rebinding.
			http.Error(w, "this chat answers to localhost only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// with finds the conversation that a path names.
func (s *server) with(next func(http.ResponseWriter, *http.Request, *conversation)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.conversations.get(r.PathValue("id"))
		if !ok {
			fail(w, http.StatusNotFound, errors.New("there is no such conversation; the server keeps them until it is restarted"))
			return
		}
		next(w, r, c)
	}
}

func (s *server) stop(w http.ResponseWriter, _ *http.Request, c *conversation) {
	answer(w, http.StatusOK, map[string]bool{"stopped": c.cancel()})
}

func (s *server) approval(w http.ResponseWriter, r *http.Request, c *conversation) {
	var decision struct {
		Allow  bool   `json:"allow"`
		Reason string `json:"reason"`
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		err = errors.New("an approval has a number, as in the event that asks for it")
	} else {
		err = read(w, r, &decision)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if err := c.decide(number, registry.Decision{Allow: decision.Allow, Reason: decision.Reason}); err != nil {
		fail(w, http.StatusConflict, err)
		return
	}
	answer(w, http.StatusOK, map[string]bool{"allow": decision.Allow})
}

// health says whether a message would find everything it needs.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	report := map[string]any{"status": "ok", "model": s.model.Name()}
	status := http.StatusOK
	if _, err := s.cm.Layers(ctx); err != nil {
		status = http.StatusServiceUnavailable
		report["status"], report["error"] = "the executor does not answer", err.Error()
	}
	answer(w, status, report)
}

func read(w http.ResponseWriter, r *http.Request, into any) error {
	connection := http.NewResponseController(w)
	if err := connection.SetReadDeadline(time.Now().Add(bodyTime)); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the request did not arrive in time")
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fmt.Errorf("the message is too long: a request has at most %d KiB", maxBody>>10)
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(body, into), connection.SetReadDeadline(time.Time{})) // the answer may take longer
	}
	if err != nil {
		return errors.New(`the request is not the JSON that was expected, such as {"message": "..."}`)
	}
	return nil
}

func answer(w http.ResponseWriter, status int, data any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(data) // a client that has gone needs no answer
}

func fail(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}
