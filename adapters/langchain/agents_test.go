package langchain_test

import (
	"strings"
	"testing"

	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/tools"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/langchain"
	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

func connect(t *testing.T, server *scriptedmodel.Server) *openai.LLM {
	t.Helper()
	llm, err := openai.New(openai.WithToken("key"), openai.WithBaseURL(server.URL), openai.WithModel("scripted"))
	if err != nil {
		t.Fatal(err)
	}
	return llm
}

func TestAgentsTakeTheirModelsProgramsToTheAnswer(t *testing.T) {
	ours := []tools.Tool{langchain.Tool(cm)}
	oneShot := func(llm llms.Model) agents.Agent { return agents.NewOneShotAgent(llm, ours) }
	conversational := func(llm llms.Model) agents.Agent { return agents.NewConversationalAgent(llm, ours) }
	functions := func(llm llms.Model) agents.Agent { return agents.NewOpenAIFunctionsAgent(llm, ours) }
	for name, test := range map[string]struct {
		agent func(llms.Model) agents.Agent
		turns []scriptedmodel.Turn
		told  []string // what each request but the first has to hold
	}{
		"one shot, fenced": {oneShot, []scriptedmodel.Turn{
			{Content: "Thought: compute\nAction: codemode\nAction Input: ```python\ntotal = 0\nfor n in range(4):\n    total += tools.square(n=n)\ntotal\n```"},
			{Content: "I now know the final answer\nFinal Answer: 14"},
		}, []string{"Observation: 14"}},
		"one shot, bare": {oneShot, []scriptedmodel.Turn{
			{Content: "Action: codemode\nAction Input: x = 3\nif x:\n    y = tools.square(n=x)\ny + 5"},
			{Content: "Final Answer: 14"},
		}, []string{"Observation: 14"}},
		"conversational, fenced": {conversational, []scriptedmodel.Turn{
			{Content: "Thought: Do I need to use a tool? Yes\nAction: codemode\nAction Input: ```python\ntools.square(n=3) + 5\n```"},
			{Content: "Thought: Do I need to use a tool? No\nAI:14"},
		}, []string{"Observation: 14"}},
		"functions, after a failure": {functions, []scriptedmodel.Turn{
			{Calls: []scriptedmodel.Call{{ID: "1", Name: "codemode", Arguments: `{"__arg1":"tools.square(n=-1)"}`}}},
			{Calls: []scriptedmodel.Call{{ID: "2", Name: "codemode", Arguments: `tools.square(n=3) + 5`}}},
			{Content: "14"},
		}, []string{"negative numbers are not allowed here", "14"}},
		"functions, several at once": {functions, []scriptedmodel.Turn{
			{Calls: []scriptedmodel.Call{
				{ID: "1", Name: "codemode", Arguments: `{"code":"tools.square(n=3)"}`},
				{ID: "2", Name: "codemode", Arguments: `{"code":"print()"}`},
			}},
			{Content: "14"},
		}, []string{"without output and without a result"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := scriptedmodel.Start(t, test.turns...)
			answer, err := chains.Run(t.Context(), agents.NewExecutor(test.agent(connect(t, server))), "What is it?")
			if err != nil || answer != "14" {
				t.Fatalf("the agent gave %q, %v", answer, err)
			}
			requests := server.Requests()
			for i, want := range test.told {
				messages := requests[i+1].Messages
				if got := messages[len(messages)-1].Text(); !strings.Contains(got, want) {
					t.Errorf("the model was told %q, which lacks %q", got, want)
				}
			}
		})
	}
}

func TestTheModelsOwnLoopOverHTTP(t *testing.T) {
	server := scriptedmodel.Start(t,
		scriptedmodel.Turn{Content: "First I look.", Calls: []scriptedmodel.Call{
			{ID: "1", Name: "codemode", Arguments: `{"code":"tools.square(n=-2)"}`},
			{ID: "2", Name: "codemode", Arguments: "tools.square(n=2)"},
		}},
		scriptedmodel.Turn{Content: "4"},
	)
	llm := connect(t, server)
	tool, err := langchain.LLMTool(cm)
	if err != nil {
		t.Fatal(err)
	}
	history := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "What is it?")}
	var answer string
	for answer == "" {
		response, err := llm.GenerateContent(t.Context(), history, llms.WithTools([]llms.Tool{tool}))
		if err != nil {
			t.Fatal(err)
		}
		turn, err := langchain.Dispatch(t.Context(), cm, response)
		if err != nil {
			t.Fatal(err)
		}
		if len(turn) == 0 {
			answer = response.Choices[0].Content
		}
		history = append(history, turn...)
	}
	if answer != "4" {
		t.Errorf("the answer is %q", answer)
	}
	requests := server.Requests()
	if p := requests[0].Tools[0].Function.Parameters; p["type"] != "object" || p["additionalProperties"] != false {
		t.Errorf("the endpoint was shown the parameters %v", p)
	}
	var roles []string
	for _, message := range requests[1].Messages {
		roles = append(roles, message.Role)
	}
	if got := strings.Join(roles, " "); got != "user assistant assistant tool assistant tool" {
		t.Errorf("the endpoint got messages of %s", got)
	}
	messages := requests[1].Messages
	if got := messages[3]; got.ToolCallID != "1" || !strings.Contains(got.Text(), "    tools.square(n=-2)") {
		t.Errorf("the traceback did not reach the model: %s", got.Text())
	}
	if got := messages[5]; got.ToolCallID != "2" || got.Text() != "4" {
		t.Errorf("the second reply is %+v", got)
	}
}

func TestACancelledAgentEndsWithCancelled(t *testing.T) {
	server := scriptedmodel.Start(t, scriptedmodel.Code("1", "tools.wait()"))
	agent := agents.NewOpenAIFunctionsAgent(connect(t, server), []tools.Tool{langchain.Tool(cm)})
	_, err := chains.Run(cancelledInTheTool(t), agents.NewExecutor(agent), "What is it?")
	if codemode.CodeOf(err) != codemode.CodeCancelled {
		t.Errorf("the agent ended with the error %v", err)
	}
}
