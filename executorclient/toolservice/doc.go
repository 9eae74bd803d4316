// Package toolservice lets an executor call an application's tools by dialling it:
// callback mode. Without it, tool calls travel on the stream on which the application
// sent the program, and the application needs no open port; that is the default.
//
//	tools, err := toolservice.New(toolservice.Options{Registry: reg})
//	if err != nil {
//		return err
//	}
//	defer tools.Close()
//	go tools.ListenAndServe("0.0.0.0:50051")
//	cm, err := codemode.New(codemode.Options{
//		Registry: reg,
//		Callback: &executorclient.Callback{Service: tools, Address: "http://app:50051"},
//	})
//
// executor.callback.listen and executor.callback.url of codemode.yaml do the same without
// a line of Go. The executor has to allow the address: executor.callback.addresses. Tools,
// middleware, approvals, events and results are the same in both modes.
//
// # Who may call
//
// A call needs the capability of a running execution: 256 random bits that the client
// makes for it and tells only its executor, bound to that execution's tools, and worth
// nothing once the execution is over. API keys and client certificates can be asked for
// besides.
package toolservice
