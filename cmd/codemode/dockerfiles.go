package main

import (
	"io"
	"os"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/docker"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// maxCarried bounds a file that is brought into a container, in bytes.
const maxCarried = 1 << 20

// carried gives copies of the files that an executor of this configuration reads, and the
// variables of this process that the configuration takes its values from, by name.
func carried(file string, cfg config.SidecarConfig) (files []docker.File, names []string, err error) {
	var text []byte
	if file != "" {
		if text, err = readCarried("the configuration", file); err != nil {
			return nil, nil, err
		}
		files = append(files, docker.File{Name: "codemode.yaml", Variable: "CODEMODE_CONFIG", Data: text})
	}
	named := []struct{ key, path, name, variable string }{
		{"executor.server.api_keys_file", cfg.APIKeysFile, "api_keys", "CODEMODE_API_KEYS_FILE"},
	}
	if cfg.TLS.Enabled || len(cfg.Callback.Addresses) > 0 {
		named = append(named, []struct{ key, path, name, variable string }{
			{"grpc.tls.cert_file", cfg.TLS.CertFile, "server.crt", "CODEMODE_TLS_CERT_FILE"},
			{"grpc.tls.key_file", cfg.TLS.KeyFile, "server.key", "CODEMODE_TLS_KEY_FILE"},
			{"grpc.tls.ca_file", cfg.TLS.CAFile, "ca.crt", "CODEMODE_TLS_CA_FILE"},
		}...)
	}
	for _, n := range named {
		if n.path == "" {
			continue
		}
		data, err := readCarried(n.key, n.path)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, docker.File{Name: n.name, Variable: n.variable, Data: data})
	}
	asked := map[string]bool{
		"CODEMODE_PYTHON": true, // the image has its own
	}
	_, err = config.Parse(file, text, func(name string) string {
		value := os.Getenv(name)
		if value != "" && !asked[name] {
			asked[name] = true
			names = append(names, name)
		}
		return value
	})
	return files, names, err
}

// readCarried reads a file that the configuration names by a key.
func readCarried(key, path string) ([]byte, error) {
	info, err := os.Stat(path) // a pipe would be waited for
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the container cannot be given the file of %s", key)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.New(fault.Config, "the container cannot be given the file of %s: %s is no regular file", key, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the container cannot be given the file of %s", key)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCarried+1))
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the container cannot be given the file of %s", key)
	}
	if len(data) > maxCarried {
		return nil, fault.New(fault.Config, "the container cannot be given the file of %s: %s has more than %d bytes", key, path, maxCarried)
	}
	return data, nil
}
