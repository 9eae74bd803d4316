package config

import "strings"

// Init gives the commented codemode.yaml that "codemode init" writes. It validates as it
// is, with an empty environment, and says what the defaults say.
func Init() []byte {
	var b strings.Builder
	b.WriteString(`# codemode.yaml
#
# Every key has a default; what is commented out shows it. Environment variables come
# before this file, and options of a command or of a program before both. ${NAME} and
# ${NAME:-default} take a value from the environment, and $$ is a dollar sign.
`)
	initSection(&b, "", 0)
	return []byte(b.String())
}

// initSection writes what is below a section. A section without any live key is written
// live all the same: an empty one is valid, and a key can be uncommented on its own.
func initSection(b *strings.Builder, path string, depth int) {
	indent := strings.Repeat("  ", depth)
	for _, name := range children(path) {
		child := join(path, name)
		if s := findSection(child); s != nil {
			b.WriteString("\n")
			wrap(b, indent+"# ", s.doc)
			b.WriteString(indent + name + ":\n")
			initSection(b, child, depth+1)
			b.WriteString(entryExamples[child])
			continue
		}
		k := findKey(child)
		doc := k.doc
		if k.derived != "" {
			doc += " Default: " + k.derived + "."
		}
		if len(k.env) > 0 {
			doc += " (" + strings.Join(k.env, ", ") + ")"
		}
		wrap(b, indent+"# ", doc)
		mark := "# "
		if k.shown {
			mark = ""
		}
		b.WriteString(indent + mark + name + ": " + k.sample() + "\n")
	}
}

var entryExamples = map[string]string{
	serversPath: `  # files:
  #   command: npx
  #   args: [-y, "@modelcontextprotocol/server-filesystem", /srv/data]
  # github:
  #   url: https://api.githubcopilot.com/mcp/
  #   headers: {Authorization: "Bearer ${GITHUB_TOKEN}"}
`,
	openAPIPath: `  # shop:
  #   file: shop.yaml
  #   base_url: https://shop.example.com/v2
  #   headers: {Authorization: "Bearer ${SHOP_TOKEN}"}
`,
}

// sample is what to show for a key in a file: its default, or an example of what
// somebody would write.
func (k *key) sample() string {
	switch {
	case k.example != "":
		return k.example
	case k.initial != "":
		return k.initial
	}
	return k.text(Default())
}

// wrap writes text in lines of a readable length, each behind the prefix.
func wrap(b *strings.Builder, prefix, text string) {
	const width = 88
	line := prefix
	for word := range strings.FieldsSeq(text) {
		if line != prefix && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = prefix
		}
		if line != prefix {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}
