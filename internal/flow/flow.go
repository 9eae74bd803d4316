// Package flow bounds what one end of a connection may send before the other has read it.
//
// The windows are fixed, and the same at both ends: gRPC then does not measure the
// connection by pings, of which there would be one for nearly every tool call.
package flow

// What may be on its way on one stream, and on all streams of a connection, in bytes.
const (
	StreamWindow     = 1 << 20
	ConnectionWindow = 8 << 20
)
