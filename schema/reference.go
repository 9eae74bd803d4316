package schema

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

type pendingRef struct {
	from *spec
	ref  string
	base string
	dyn  bool
}

// resolve finds what a reference points at, inside the document.
func (c *compiler) resolve(p pendingRef) (*node, string, error) {
	nowhere := func() error {
		return fault.New(fault.Invalid, "JSON Schema: $ref %q leads nowhere in the document", shorten(p.ref, maxShownValue)).
			WithRemedy("references to other documents are not followed: put the schema under $defs")
	}
	abs := joinURI(p.base, p.ref)
	uri, fragment, _ := strings.Cut(abs, "#")
	resource, ok := c.resources[uri]
	if !ok {
		return nil, "", nowhere()
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	if fragment == "" {
		return resource, "", nil
	}
	if !strings.HasPrefix(fragment, "/") {
		if n, ok := c.anchors[uri+"#"+fragment]; ok {
			return n, fragment, nil
		}
		return nil, "", nowhere()
	}
	n, name := resource, ""
	for _, part := range strings.Split(fragment[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch {
		case n.is(objectNode) && n.get(part) != nil:
			n = n.get(part)
		case n.is(arrayNode):
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil, "", nowhere()
			}
			n = n.items[i]
		default:
			return nil, "", nowhere()
		}
		name = part
	}
	if _, ok := c.bases[n]; !ok {
		c.bases[n] = p.base
	}
	return n, name, nil
}

func joinURI(base, ref string) string {
	r, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	b, err := url.Parse(base)
	if err != nil || base == "" {
		return r.String()
	}
	return b.ResolveReference(r).String()
}

// inPlace calls f for every schema that applies to the same value as s.
func (s *spec) inPlace(f func(*spec)) {
	for _, list := range [][]*spec{{s.target, s.dynamic, s.not, s.cond, s.yes, s.no}, s.allOf, s.anyOf, s.oneOf} {
		for _, c := range list {
			if c != nil {
				f(c)
			}
		}
	}
	for _, d := range s.depends {
		if d.spec != nil {
			f(d.spec)
		}
	}
}

// refuseCircles refuses schemas that apply themselves to the same value again, which no
// value could ever be checked against.
func refuseCircles(root *spec, all map[*node]*spec) error {
	const open, done = 1, 2
	state := make(map[*spec]int, len(all))
	circle := false
	var visit func(*spec)
	visit = func(s *spec) {
		switch state[s] {
		case open:
			circle = true
		case 0:
			state[s] = open
			s.inPlace(visit)
			state[s] = done
		}
	}
	visit(root)
	for _, s := range all {
		visit(s)
	}
	if circle {
		return invalid("a $ref leads back to itself without anything between")
	}
	return nil
}
