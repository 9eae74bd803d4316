package config

// TLS is the section "grpc.tls".
type TLS struct {
	// Enabled is as in ClientConfig.TLSEnabled and ServerTLS.Enabled.
	Enabled bool
	// Mode is "system" or "custom": which authorities vouch for the executor.
	Mode string
	// Paths of PEM files; empty if not set.
	CertFile, KeyFile, CAFile, ClientCertFile, ClientKeyFile string
	// ClientAuth is as in ServerTLS.ClientAuth.
	ClientAuth string
	// ServerName is as in ClientConfig.TLSServerName.
	ServerName string
}

const (
	tlsSystem = "system"
	tlsCustom = "custom"
)

// ServerTLS is how an executor serves those who connect.
type ServerTLS struct {
	// Enabled: it speaks TLS 1.3 and nothing else.
	Enabled bool
	// CertFile and KeyFile are its certificate and private key, in PEM.
	CertFile, KeyFile string
	// CAFile holds the authorities of its clients' certificates. If empty, none are
	// asked for.
	CAFile string
	// ClientAuth is ClientAuthNone or ClientAuthRequire. If empty, ClientAuthNone.
	ClientAuth string
}

// What ServerTLS.ClientAuth can be.
const (
	// ClientAuthNone: clients need no certificate.
	ClientAuthNone = "none"
	// ClientAuthRequire: clients need a certificate from CAFile.
	ClientAuthRequire = "require"
)

// section gives the part of a file that says the same.
func (t ServerTLS) section() TLS {
	if t.ClientAuth == "" {
		t.ClientAuth = ClientAuthNone
	}
	section := TLS{Enabled: t.Enabled, CertFile: t.CertFile, KeyFile: t.KeyFile, CAFile: t.CAFile, ClientAuth: t.ClientAuth}
	section.Mode = tlsMode(section)
	return section
}

// contradictions are what an executor that serves TLS cannot do without.
func (t ServerTLS) contradictions() []*Problem {
	if !t.Enabled || t.CertFile != "" && t.KeyFile != "" {
		return nil
	}
	return []*Problem{{Key: "grpc.tls.enabled", Message: "an executor that serves TLS needs grpc.tls.cert_file and " +
		"grpc.tls.key_file; codemode tls generate-certs makes them"}}
}

func tlsMode(t TLS) string {
	if t.CAFile != "" {
		return tlsCustom
	}
	return tlsSystem
}

func clientAuth(t TLS) string {
	if t.ClientCertFile != "" {
		return ClientAuthRequire
	}
	return ClientAuthNone
}

// tlsContradictions are keys that are fine alone and not together.
func tlsContradictions(t TLS) []*Problem {
	var found []*Problem
	add := func(key, message string) {
		found = append(found, &Problem{Key: "grpc.tls." + key, Message: message})
	}
	together := func(cert, key, certFile, keyFile string) {
		if certFile != "" && keyFile == "" {
			add(cert, "a certificate needs its private key: set grpc.tls."+key)
		} else if certFile == "" && keyFile != "" {
			add(key, "a private key needs its certificate: set grpc.tls."+cert)
		}
	}
	together("cert_file", "key_file", t.CertFile, t.KeyFile)
	together("client_cert_file", "client_key_file", t.ClientCertFile, t.ClientKeyFile)
	if t.CAFile == "" && t.Mode == tlsCustom {
		add("mode", "custom needs grpc.tls.ca_file, the authorities to trust")
	}
	if t.CAFile != "" && t.Mode == tlsSystem && t.ClientAuth != ClientAuthRequire {
		add("ca_file", "nothing is checked against it: grpc.tls.mode is system, and grpc.tls.client_auth is not require")
	}
	if t.CAFile == "" && t.ClientAuth == ClientAuthRequire {
		add("client_auth", "require needs grpc.tls.ca_file, the authorities of the clients' certificates")
	}
	return found
}
