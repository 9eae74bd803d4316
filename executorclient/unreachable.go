package executorclient

import (
	"strconv"
	"strings"
)

// noAddress is how gRPC says that a name stands for no address: round_robin has nothing to
// pick from, and does not pass on what the name server said.
const noAddress = "no children to pick from"

// unreachable puts what gRPC says of a connection into words, and names the remedy.
func unreachable(said string) (message, remedy string) {
	remedy = "is the executor running, and is its address right?"
	if strings.Contains(said, noAddress) || strings.HasPrefix(said, "name resolver error") {
		return "no address is known for the host in the executor's address",
			remedy + " The name must be known where the application runs; a container that is stopped has none."
	}
	quoted, found := strings.CutPrefix(said, "connection error: desc = ")
	cause, err := strconv.Unquote(quoted)
	if !found || err != nil {
		return said, remedy
	}
	cause = strings.TrimPrefix(cause, "transport: ")
	if dial, found := strings.CutPrefix(cause, "Error while dialing: "); found {
		return "the executor cannot be reached: " + dial, remedy
	}
	return cause, remedy
}
