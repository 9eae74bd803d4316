// Package langchain puts the function tool into the terms of
// github.com/tmc/langchaingo.
//
// With an agent, one line:
//
//	agent := agents.NewOpenAIFunctionsAgent(llm, []tools.Tool{langchain.Tool(cm)})
//	answer, err := chains.Run(ctx, agents.NewExecutor(agent), question)
//
// [Tools] has the direct tools too, and the one that searches.
//
// With a model and a loop of your own:
//
//	tool, err := langchain.LLMTool(cm)
//	...
//	for {
//		response, err := llm.GenerateContent(ctx, history, llms.WithTools([]llms.Tool{tool}))
//		...
//		turn, err := langchain.Dispatch(ctx, cm, response)
//		...
//		if len(turn) == 0 {
//			return response.Choices[0].Content // the model has answered
//		}
//		history = append(history, turn...)
//	}
//
// And the other way round, tools of langchaingo for programs to call:
//
//	langchain.AddTools(reg, tools.Calculator{}, wikipedia)
//
// # Which agent
//
// The loop above is the best of them: the model is shown the real parameter, several
// programs of one message run in parallel, and the history is what the model said.
//
// agents.OpenAIFunctionsAgent shows the model one parameter "__arg1" for every tool and
// runs several calls one by one; both work. In the history it repeats the program bare
// where the model had sent JSON, which strict endpoints refuse.
//
// agents.OneShotZeroAgent and agents.ConversationalAgent read the model's text and take
// everything after "Action Input:" for the program, which may stand in a fence. They take
// the text for the final answer if "Final Answer:" or "the answer is:" stand anywhere in
// it (OneShotZeroAgent), or "AI:" (ConversationalAgent), even inside the program. Prefer
// an agent that calls functions.
//
// The Executor gives up after five rounds unless it is told otherwise, and a Go error of
// a tool ends it. So a program that fails is text here, and an error is only what ends
// the conversation anyway.
package langchain
