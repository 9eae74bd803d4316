package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/internal/apikey"
)

const acceptsAddress = "embedded, unix:///path/to/socket, http://host:port, https://host:port or dns:///host:port"

// maxSocketPath is what the kernel's sockaddr_un holds, without the final zero.
const maxSocketPath = 107

// readAddress checks an executor URL and gives its one spelling: a lower-case scheme, no
// trailing slash, and the port always there.
func readAddress(text string) (string, error) {
	if text == Embedded {
		return Embedded, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		if host, _, err := net.SplitHostPort(text); err == nil && validHost(host) {
			return "", errors.New("has no scheme: write http:// before it")
		}
		return "", errors.New("is not an executor's address: write " + acceptsAddress)
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "unix":
		if !strings.HasPrefix(rest, "/") {
			return "", errors.New("needs an absolute path, with three slashes: unix:///run/codemode.sock")
		}
		socket, err := readSocket(rest)
		return "unix://" + socket, err
	case "dns":
		host, ok := strings.CutPrefix(rest, "/")
		if !ok {
			return "", errors.New("needs three slashes: dns:///host:port")
		}
		target, err := readTarget(host, "")
		return "dns:///" + target, err
	case "http", "https":
		u, err := url.Parse(text)
		switch {
		case err != nil:
			return "", errors.New("is not a URL: write " + scheme + "://host:port")
		case u.User != nil:
			return "", errors.New("carries a user name: the executor takes executor.api_key instead")
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(rest, "#"):
			return "", errors.New("has a path, a query or a fragment: write " + scheme + "://host:port alone")
		}
		port := ""
		if scheme == "https" {
			port = "443"
		}
		target, err := readTarget(u.Host, port)
		return scheme + "://" + target, err
	}
	return "", errors.New("has an unknown scheme: write " + acceptsAddress)
}

// SameAddress says whether two texts are the same executor's or tool service's address,
// however they are spelled.
func SameAddress(a, b string) bool {
	first, err := readAddress(a)
	second, other := readAddress(b)
	return err == nil && other == nil && first == second && first != Embedded
}

// maxAddresses bounds a list of addresses.
const maxAddresses = 100

// addresses is a list of what somebody may be asked to dial.
func addresses(at func(*Config) *[]string) value {
	setList := func(c *Config, items []string) error {
		if len(items) > maxAddresses {
			return errors.New("has more than " + strconv.Itoa(maxAddresses) + " addresses")
		}
		var all []string
		for _, item := range items {
			address, err := readAddress(item)
			if err == nil && address == Embedded {
				err = errors.New("is nowhere to dial")
			}
			if err != nil {
				return errors.New("has " + quote(item) + ", which " + err.Error())
			}
			all = append(all, address)
		}
		*at(c) = all
		return nil
	}
	return value{
		unit: "list", accepts: "a list of addresses such as http://app:50051, https://app:50051 or unix:///run/app.sock",
		setList: setList,
		text:    func(c *Config) string { return "[" + strings.Join(*at(c), ", ") + "]" },
		recheck: func(scratch, from *Config) error { return setList(scratch, *at(from)) },
	}
}

// readCallback checks by which address an executor reaches an application's tools.
func readCallback(text string) (string, error) {
	address, err := readAddress(text)
	if err == nil && (address == Embedded || strings.HasPrefix(address, "unix:")) {
		err = errors.New("is not where a port can be reached: write http://host:port, https://host:port or dns:///host:port")
	}
	return address, err
}

// readTarget checks host:port; without a default port, the port must be there.
func readTarget(text, defaultPort string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if host = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"); !validHost(host) {
			return "", errors.New("has no usable host and port: write host:8001, or [::1]:8001")
		}
		if defaultPort == "" {
			return "", errors.New("has no port: the executor listens on 8001 by default, so end it with :8001")
		}
		port = defaultPort
	}
	if !validHost(host) {
		return "", errors.New("has no usable host name")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("has a port that is not from 1 to 65535")
	}
	return net.JoinHostPort(host, port), nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$`)

func validHost(host string) bool {
	if hostName.MatchString(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// readHost checks what the executor listens on.
func readHost(text string) (string, error) {
	if !validHost(text) {
		return "", errors.New("is not a host: write an address such as 127.0.0.1, 0.0.0.0 or ::1, or a name, without port and scheme")
	}
	return text, nil
}

// readListen checks an address to listen on; the host may be missing, for all of them.
func readListen(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 || host != "" && !validHost(host) {
		return "", errors.New("is not an address to listen on: write host:port, such as 127.0.0.1:8002, or :8002 for every address")
	}
	return text, nil
}

// readSocket checks the path of a unix socket.
func readSocket(text string) (string, error) {
	switch {
	case strings.ContainsFunc(text, isControl) || strings.HasSuffix(text, "/"):
		return "", errors.New("is not the path of a socket: write one such as /run/codemode.sock")
	case len(text) > maxSocketPath:
		return "", errors.New("is longer than the " + strconv.Itoa(maxSocketPath) + " bytes that a unix socket's path may have")
	}
	return path.Clean(text), nil
}

// readPython checks executor.python; whether the file is a Python is found out by running it.
func readPython(text string) (string, error) {
	if text == "auto" {
		return text, nil
	}
	if !strings.ContainsAny(text, `/\`) || strings.ContainsFunc(text, isControl) {
		return "", errors.New("is neither auto nor a path: write auto to search PATH, or a path such as /usr/bin/python3 or .venv/bin/python")
	}
	return text, nil
}

// readPath checks the path of a file or directory.
func readPath(text string) (string, error) {
	if text == "" || strings.ContainsFunc(text, isControl) {
		return "", errors.New("is not a path")
	}
	return text, nil
}

// readKey checks an API key: what a gRPC header can carry unchanged.
func readKey(text string) (Secret, error) {
	if err := apikey.Check(text); err != nil {
		return Secret{}, err
	}
	return NewSecret(text), nil
}

// readName checks a free text that ends up in logs.
func readName(text string) (string, error) {
	if len(text) > 200 || strings.ContainsFunc(text, isControl) {
		return "", errors.New("is longer than 200 bytes or has control characters")
	}
	return text, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }
