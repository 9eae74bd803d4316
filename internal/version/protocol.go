package version

// The versions of the wire, as proto/codemode/v1 has it, that this module speaks, at
// either end. What was added within one is a Feature.
const (
	Protocol       = 1
	OldestProtocol = 1
)

// NotStarted is the trailing metadata of an error before which nothing ran.
const NotStarted = "codemode-not-started"
