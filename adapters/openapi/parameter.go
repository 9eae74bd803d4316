package openapi

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A parameter goes into the path, the query, a header or a cookie.
type parameter struct {
	argument string // the tool's name for it
	name, in string
	style    string
	explode  bool
	reserved bool // the document lets some reserved characters stand as they are
	json     bool // it has a content, and is sent as JSON
}

// notForPrograms are headers that say how a request is transported, who makes it, or that
// the document cannot speak of.
var notForPrograms = []string{
	"Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Host",
	"Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent",
}

var (
	inBraces = regexp.MustCompile(`\{([^{}]*)\}`)
	token    = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// readParameters reads those of the operation, and those of the path that it does not replace.
func (op *operation) readParameters(d *document, item, n *yaml.Node, secrets map[secret]bool) ([]argument, error) {
	type found struct {
		parameter
		node *yaml.Node
	}
	var all []found
	for i, ref := range slices.Concat(items(get(n, "parameters")), items(get(item, "parameters"))) {
		node, err := d.follow(ref)
		if err != nil {
			return nil, err
		}
		p := parameter{name: str(node, "name"), in: str(node, "in"), reserved: truth(node, "allowReserved", false)}
		if p.name == "" {
			return nil, fault.New(fault.Invalid, "parameter %d has no name", i+1)
		}
		if skip, err := p.read(node, secrets); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the parameter %q", p.name)
		} else if skip {
			continue
		}
		if !slices.ContainsFunc(all, func(f found) bool { return f.in == p.in && f.name == p.name }) {
			all = append(all, found{p, node})
		}
	}
	// The path's come first, in its order, and each of them has to be there.
	var inPath []string
	for _, match := range inBraces.FindAllStringSubmatch(op.Path, -1) {
		inPath = append(inPath, match[1])
		if !slices.ContainsFunc(all, func(f found) bool { return f.in == "path" && f.name == match[1] }) {
			return nil, fault.New(fault.Invalid, "the path names {%s}, which is not among the parameters", match[1])
		}
	}
	all = slices.DeleteFunc(all, func(f found) bool { return f.in == "path" && !slices.Contains(inPath, f.name) })
	slices.SortStableFunc(all, func(a, b found) int {
		place := func(f found) int {
			if f.in != "path" {
				return len(inPath)
			}
			return slices.Index(inPath, f.name)
		}
		return cmp.Compare(place(a), place(b))
	})
	arguments, taken := make([]argument, 0, len(all)), map[string]bool{}
	for _, f := range all {
		f.argument = f.name
		if taken[f.argument] {
			f.argument = f.in + "_" + f.name
		}
		if taken[f.argument] {
			return nil, fault.New(fault.Invalid, "two parameters would be the argument %q", f.argument)
		}
		taken[f.argument] = true
		op.parameters = append(op.parameters, f.parameter)
		shape := get(f.node, "schema")
		for _, content := range fields(get(f.node, "content")) {
			shape = get(content, "schema")
		}
		arguments = append(arguments, argument{
			name: f.argument, description: str(f.node, "description"), schema: shape,
			required: f.in == "path" || truth(f.node, "required", false),
		})
	}
	return arguments, nil
}

// read takes over how it is written; skip means that it is no argument.
func (p *parameter) read(n *yaml.Node, secrets map[secret]bool) (skip bool, err error) {
	if secrets[secret{p.in, strings.ToLower(p.name)}] {
		return true, nil
	}
	p.style = str(n, "style")
	known := []string{"form"}
	switch p.in {
	case "path":
		known = []string{"simple", "label", "matrix"}
	case "query":
		known = []string{"form", "spaceDelimited", "pipeDelimited", "deepObject"}
	case "header":
		if slices.Contains(notForPrograms, http.CanonicalHeaderKey(p.name)) {
			return true, nil
		}
		if !token.MatchString(p.name) {
			return false, fault.New(fault.Invalid, "its name is none that a header can have")
		}
		known = []string{"simple"}
	case "cookie":
		if !token.MatchString(p.name) {
			return false, fault.New(fault.Invalid, "its name is none that a cookie can have")
		}
	default:
		return false, fault.New(fault.Invalid, "it is in %q, which is not known", short(p.in, 50))
	}
	if p.style == "" {
		p.style = known[0]
	}
	if !slices.Contains(known, p.style) {
		return false, fault.New(fault.Invalid, "its style %q is not one for %s", short(p.style, 50), p.in)
	}
	p.explode = truth(n, "explode", p.style == "form")
	p.json = get(n, "content") != nil
	return false, nil
}
