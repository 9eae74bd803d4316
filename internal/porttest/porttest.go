// Package porttest finds TCP ports for tests that have to name one before anybody listens
// there.
package porttest

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// What is handed out is below the ports that the kernel chooses by itself, so that no
// connection of another process takes it in the meantime.
const first, count = 20_000, 12_000

// next makes it unlikely that two processes, or two tests of one, choose the same.
var next atomic.Uint32

// Free gives a port on which nobody listens.
func Free() (port int, err error) {
	for range 100 {
		port = first + (os.Getpid()*101+int(next.Add(1)))%count
		listener, failure := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if failure == nil {
			return port, listener.Close()
		}
		err = errors.Join(err, failure)
	}
	return 0, err
}
