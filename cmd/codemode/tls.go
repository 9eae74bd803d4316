package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
)

func tlsCommand() command {
	return command{
		name:    "tls",
		usage:   "tls COMMAND [flags]",
		summary: "makes certificates for executor and application",
		members: []command{generateCertsCommand()},
	}
}

func generateCertsCommand() command {
	return command{
		name:    "tls generate-certs",
		usage:   "tls generate-certs [flags]",
		summary: "writes an authority and a certificate for each end",
		help: `
It writes six files: an authority (ca.crt, ca.key), the executor's certificate
(server.crt, server.key) and the application's (client.crt, client.key), and prints the
configuration that uses them. No file is overwritten; if ca.crt and ca.key are there, they
sign. ca.key is needed only to make more: keep it away from both machines.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			dir := flags.String("dir", "certs", "write to `DIR`")
			var hosts, clientHosts texts
			flags.Var(&hosts, "host", "a `NAME` or address of the executor, besides localhost; may be repeated")
			flags.Var(&clientHosts, "client-host", "a `NAME` or address of the application, for callback mode; may be repeated")
			days := flags.Int("days", 365, "how many `DAYS` the certificates are valid; an authority, ten times that")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				set := certificateSet{dir: *dir, hosts: append([]string{"localhost", "127.0.0.1", "::1"}, hosts...), clientHosts: clientHosts, days: *days}
				written, err := set.generate()
				if err != nil {
					return exitOther, err
				}
				fmt.Fprintf(io.out, "wrote %s\n\n", strings.Join(written, ", "))
				fmt.Fprint(io.out, set.instructions())
				return exitOK, nil
			}
		},
	}
}

// instructions are the configuration to paste.
func (s certificateSet) instructions() string {
	in := func(name string) string { return filepath.Join(s.dir, name) }
	host := s.hosts[0]
	if len(s.hosts) > 3 {
		host = s.hosts[3]
	}
	listen := "0.0.0.0"
	if host == "localhost" {
		listen = "127.0.0.1"
	}
	return fmt.Sprintf(`# codemode.yaml of the executor
executor:
  server:
    host: %s
    port: 8001
grpc:
  tls:
    enabled: true
    cert_file: %s
    key_file: %s
    ca_file: %s
    client_auth: require

# codemode.yaml of the application
executor:
  url: https://%s
grpc:
  tls:
    enabled: true
    ca_file: %s
    client_cert_file: %s
    client_key_file: %s
`, listen, in("server.crt"), in("server.key"), in("ca.crt"), net.JoinHostPort(host, "8001"), in("ca.crt"), in("client.crt"), in("client.key"))
}

// unusableTLS gives a line for each file that cannot be read here, or else for what the
// files of an end hold.
func unusableTLS(t config.TLS) (lines []string) {
	for _, end := range []struct {
		section string // of the keys
		files   tlsfiles.Files
	}{
		{"grpc.tls.", tlsfiles.Files{Cert: t.CertFile, Key: t.KeyFile, CA: t.CAFile}},
		{"grpc.tls.client_", tlsfiles.Files{Cert: t.ClientCertFile, Key: t.ClientKeyFile}},
	} {
		readable := true
		for _, file := range []struct{ key, path string }{{"cert_file", end.files.Cert}, {"key_file", end.files.Key}, {"ca_file", end.files.CA}} {
			if file.path == "" {
				continue
			}
			if err := readableFile(file.path); err != nil {
				lines, readable = append(lines, end.section+file.key+": "+err.Error()), false
			}
		}
		if !readable {
			continue
		}
		if _, err := tlsfiles.Load(end.files, nil); err != nil {
			lines = append(lines, "grpc.tls: "+err.Error())
		}
	}
	return lines
}

func readableFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
