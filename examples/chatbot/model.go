package main

import "context"

// A Model says what comes next in a conversation. Behind it is a framework for models; the
// chat knows nothing of which.
type Model interface {
	// Name is shown to people.
	Name() string
	// Reply gives the next message of the assistant. While it is written, say is told, on
	// the calling goroutine.
	Reply(ctx context.Context, messages []Message, say func(Delta)) (Message, error)
}

// Who a Message is from.
const (
	roleUser      = "user"
	roleAssistant = "assistant"
	roleTool      = "tool"
)

// A Message is one of a conversation.
type Message struct {
	Role string
	Text string
	// Calls of an assistant's message are programs that it wants run.
	Calls []Call
	// CallID and CallName of a tool's message are the call that it answers.
	CallID, CallName string
	// CutOff is true if the model had to stop in the middle. A program is then not whole,
	// and must not run.
	CutOff bool
}

// A Call is a function call of the model's.
type Call struct{ ID, Name, Arguments string }

// A Delta is a piece of a message that is being written. One of the fields is set.
type Delta struct {
	Text string
	// Call and Arguments are a piece of the arguments of the call of that number.
	Call      int
	Arguments string
	// Notice is something about the model that people should know.
	Notice string
}

// instructions go before every conversation.
const instructions = `You help people with the tools that your programs can call: weather, a database, files in a workspace, and what else is listed with them. Work with programs, one where one will do. A call that a person denied stays undone: say so, and do not try another way. Then answer in a few plain sentences of what the program found; do not show the program, it is shown beside the chat.`
