package tlsfiles

import "strings"

// A Refusal puts into words why two ends did not come to speak, and what to do.
type Refusal struct{ Message, Remedy string }

// refusals are found by what crypto/tls and gRPC say, which is all that arrives through a
// gRPC status. The first that matches counts.
var refusals = []struct {
	sign string
	Refusal
}{
	{"certificate signed by unknown authority", Refusal{
		"the other end's certificate is from an authority that is not trusted here",
		"set grpc.tls.ca_file to the certificate of the authority that signed it"}},
	{"certificate has expired or is not yet valid: current time", Refusal{
		"the other end's certificate is not valid now", "replace it, or set the clock right"}},
	{"x509: certificate is valid for", Refusal{
		"the other end's certificate is for another name",
		"use an address with a name that the certificate has, or set grpc.tls.server_name to one"}},
	{"x509: cannot validate certificate for", Refusal{
		"the other end's certificate is for another name",
		"use an address with a name that the certificate has, or set grpc.tls.server_name to one"}},
	{"x509: certificate is not valid for any names", Refusal{
		"the other end's certificate is for no name",
		"make one that has the name of the address (codemode tls generate-certs --host NAME)"}},
	{"x509: certificate specifies an incompatible key usage", Refusal{
		"the other end's certificate is not for this end of a connection",
		"make one for servers on the executor and one for clients in the application, as codemode tls generate-certs does"}},
	{"tls: certificate required", Refusal{
		"the other end asks for a client certificate, and none was sent",
		"set grpc.tls.client_cert_file and grpc.tls.client_key_file"}},
	{"remote error: tls: unknown certificate authority", Refusal{
		"the other end does not trust the authority of the certificate that was sent",
		"use a certificate from the authority in the other end's grpc.tls.ca_file"}},
	{"remote error: tls: expired certificate", Refusal{
		"the other end finds the certificate that was sent expired, or not yet valid",
		"replace it, or set the clock right"}},
	{"remote error: tls: bad certificate", Refusal{
		"the other end does not accept the certificate that was sent",
		"use a certificate for clients from the authority in the other end's grpc.tls.ca_file"}},
	{"first record does not look like a TLS handshake", Refusal{
		"the other end does not speak TLS",
		"switch TLS on there (grpc.tls.enabled), or use an http:// address without grpc.tls.enabled"}},
	{"protocol version not supported", Refusal{
		"the other end does not speak TLS 1.3", "update it, or whatever ends TLS in front of it"}},
	{"server selected unsupported protocol version", Refusal{
		"the other end does not speak TLS 1.3", "update it, or whatever ends TLS in front of it"}},
	{"no supported versions satisfy MinVersion and MaxVersion", Refusal{
		"the configuration of TLS rules out TLS 1.3", "leave tls.Config.MaxVersion at zero"}},
	{"http2: frame too large", foreign},
	{"error reading server preface", silence},
}

// foreign is what TLS may be the reason of: its alert, like an answer in HTTP/1, is no
// HTTP/2.
var foreign = Refusal{
	"what answers at the executor's address does not speak gRPC",
	"look whether the port is another server's; if it is an executor's that expects TLS, use an https:// address or set grpc.tls.enabled",
}

// silence is what TLS may be the reason of, and may not.
var silence = Refusal{
	"the executor closed an unencrypted connection before it said anything",
	"it may be starting or stopping; if it expects TLS, use an https:// address or set grpc.tls.enabled",
}

// Certain says whether it is about TLS and nothing else.
func (r Refusal) Certain() bool { return r != silence && r != foreign }

// Explain finds the words for what gRPC said about a connection.
func Explain(said string) (Refusal, bool) {
	for _, r := range refusals {
		if !strings.Contains(said, r.sign) {
			continue
		}
		if strings.Contains(said, " is after ") {
			r.Message = "the other end's certificate has expired"
		} else if strings.Contains(said, " is before ") {
			r.Message = "the other end's certificate is not yet valid"
		}
		return r.Refusal, true
	}
	return Refusal{}, false
}
