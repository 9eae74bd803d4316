// Package openai puts the function tool into the terms of
// github.com/sashabaranov/go-openai, for OpenAI and every endpoint that speaks as it does.
//
// Both packages are called openai, so one of them gets another name:
//
//	import (
//		"github.com/sashabaranov/go-openai"
//
//		codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
//	)
//
//	tool, err := codemodeopenai.Tool(cm)
//	...
//	request.Tools = []openai.Tool{tool}
//	for {
//		response, err := client.CreateChatCompletion(ctx, request)
//		...
//		message := response.Choices[0].Message
//		request.Messages = append(request.Messages, message)
//		replies, err := codemodeopenai.Dispatch(ctx, cm, message)
//		...
//		if len(replies) == 0 {
//			return message.Content // the model has answered
//		}
//		request.Messages = append(request.Messages, replies...)
//	}
//
// Messages that are streamed are put together by an [Accumulator]; examples/openai shows a
// loop with it. [Tools] has the direct tools too, and strict mode. For the Responses API
// there are [ResponseTools], with the program as raw text if that is wanted, and
// [DispatchResponse].
//
// A program that fails is nothing that the application has to handle: the model reads
// the traceback in the reply, and writes a better one.
package openai
