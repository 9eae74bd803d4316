package registry

import (
	"context"
	"reflect"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

// AgentNamespace is where agents are: the agent "writer" has the name "agents.writer".
const AgentNamespace = "agents"

// An Agent does a task that is put to it.
type Agent[In, Out any] interface {
	Run(ctx context.Context, input In) (Out, error)
}

// An EntryKind tells agents from tools.
type EntryKind string

// The kinds of an Entry.
const (
	EntryTool  EntryKind = "tool"
	EntryAgent EntryKind = "agent"
)

// AddAgent registers an agent under AgentNamespace: a program calls the agent "writer" as
// agents.writer(...) or agents["writer"].run(...), and like any tool. In may be what it
// may for Func, whose fields are then the arguments; any other In is one argument, which
// is called input. At most one Policy may be given. It fails as Func does, and if the
// agent is nil.
func AddAgent[In, Out any](r *Registry, name, description string, agent Agent[In, Out], policy ...Policy) error {
	given, err := onePolicy(policy)
	e := &Entry{name: AgentNamespace + "." + name, kind: EntryAgent, description: description, given: given, origin: origin()}
	switch v := reflect.ValueOf(agent); {
	case err != nil:
	case name == "":
		err = fault.New(fault.Invalid, "an agent needs a name")
	case !v.IsValid(), v.Kind() == reflect.Pointer && v.IsNil():
		err = fault.New(fault.Invalid, "the agent is nil")
	case holdsArguments(reflect.TypeFor[In]()):
		e.handler = typedHandler(agent.Run)
	default:
		e.handler = typedHandler(func(ctx context.Context, in agentInput[In]) (Out, error) { return agent.Run(ctx, in.Input) })
	}
	return r.register(e, func() (in, out *schema.Schema, _ error) {
		if err != nil {
			return nil, nil, err
		}
		if t := reflect.TypeFor[In](); holdsArguments(t) {
			return typedSchemas(t, reflect.TypeFor[Out]())
		}
		return typedSchemas(reflect.TypeFor[agentInput[In]](), reflect.TypeFor[Out]())
	})
}

type agentInput[In any] struct {
	Input In `json:"input"`
}

// Agent finds an agent by its name, without the namespace.
func (r *Registry) Agent(name string) (*Entry, bool) {
	e, ok := r.Lookup(AgentNamespace + "." + name)
	if !ok || e.kind != EntryAgent {
		return nil, false
	}
	return e, true
}

// Kind tells an agent from a tool.
func (e *Entry) Kind() EntryKind {
	if e.kind == "" {
		return EntryTool
	}
	return e.kind
}

// ofKinds says whether the entry is of one of the kinds; none means any.
func (e *Entry) ofKinds(kinds []EntryKind) bool {
	for _, k := range kinds {
		if k == e.Kind() {
			return true
		}
	}
	return len(kinds) == 0
}
