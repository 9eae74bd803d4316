// Package sidecar is the executor: a gRPC server in front of a pool of confined CPython
// processes.
//
//	server, err := sidecar.New(ctx, config.DefaultSidecar(), logger)
//	if err != nil {
//		return err // no sandbox, no CPython: there is no weaker way to run
//	}
//	defer server.Close()
//	return server.Serve(listener)
//
// The façade embeds one in the application's process for development and reaches it by
// [Server.Dial]; codemode serve runs one for applications elsewhere.
//
// # How it works
//
// A fork server, a warm CPython that never runs a program, makes workers; a worker
// confines itself, waits until it is sent one program, runs it and is destroyed. The pool
// keeps some workers ready, so that an execution finds one that has nothing left to do but
// to run. Package sandbox decides what isolates fork server and workers on this machine;
// runner/*.py carries it out.
//
// # Trust
//
// Every byte from a worker is hostile: frames are bounded before anything is allocated,
// and what they carry is passed on without being decoded. A worker that breaks the
// protocol loses its own execution.
package sidecar
