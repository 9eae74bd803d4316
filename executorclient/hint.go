package executorclient

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/internal/words"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// Bounds on a hint.
const (
	hintLimit   = 1 << 10 // bytes
	hintTools   = 3       // signatures
	hintKeys    = 20      // of a dict
	hintKeySize = 64      // bytes of a key that is shown
	hintNodes   = 2_000   // values of results that are looked at
)

// A mistake is an error that says what to do about it, whatever the program is about. One
// that is made with the tools comes first.
var mistakes = []struct {
	message *regexp.Regexp
	hint    string
}{
	{
		regexp.MustCompile(`^the JSON object must be str, bytes or bytearray, not `),
		"what a tool gives is a Python value already: use it as it is, without json.loads.",
	},
	{regexp.MustCompile(`can't be used in 'await' expression|can't be awaited|a coroutine or an awaitable is required`), withoutAwait},
	{
		regexp.MustCompile(`'coroutine'`),
		"a coroutine has to be awaited: await tools.name.arun(...), or several at once with await asyncio.gather(...). tools.name(...) needs no await.",
	},
	{
		regexp.MustCompile(`asyncio\.run\(\) cannot be called|event loop is already running`),
		"await works at the top level: write await main() in place of asyncio.run(main()).",
	},
	{
		regexp.MustCompile(`name resolution|Name or service not known|Network is unreachable`),
		"a program has no network unless the executor's operator opens it: use the tools.",
	},
}

const withoutAwait = "tools.name(...) gives its value at once: leave out the await, or call tools.name.arun(...)."

var (
	missingAttribute = regexp.MustCompile(`^'(dict|list|NoneType)' object has no attribute '(\w{1,64})'`)
	undefinedName    = regexp.MustCompile(`^name '(\w{1,64})' is not defined`)
	calledName       = regexp.MustCompile(`\b(\w{1,64})\(\) (?:takes|got|is missing)`)
)

// hintFor tells a model what to do about a failure, where there is something to tell;
// else it is empty. tools may be nil.
func hintFor(r *Result, tools *registry.View) string {
	var hint string
	switch e := r.Error; {
	case e == nil || r.Status == OK:
	case r.Status == Timeout:
		hint = r.lateHint()
	case r.Status == OutputLimit:
		hint = "print less: end the program with the one value that is needed."
	case r.Status != Failed:
	case e.Type == "ToolArgumentError" || e.Type == "ProgramProblems":
		hint = r.signatureHint(tools)
	case e.Type == "KeyError":
		if key := strings.TrimSuffix(strings.TrimPrefix(e.Message, "'"), "'"); len(key) == len(e.Message)-2 {
			hint = r.keysHint(key)
		}
	case e.Type == "NameError" && tools != nil:
		if found := undefinedName.FindStringSubmatch(e.Message); found != nil {
			hint = nameHint(found[1], tools)
		}
	default:
		hint = r.mistakeHint()
	}
	return middle(hint, hintLimit)
}

func (r *Result) mistakeHint() string {
	message := middle(r.Error.Message, textTrace)
	for _, m := range mistakes {
		if m.message.MatchString(message) {
			return m.hint
		}
	}
	if found := missingAttribute.FindStringSubmatch(message); found != nil {
		switch kind, name := found[1], found[2]; kind {
		case "dict":
			return strings.TrimSpace(fmt.Sprintf("a dict's values are read as ['%s'] and not as .%[1]s. %s", name, r.keysHint(name)))
		case "list":
			return "this is a list: loop over it, or take an item of it such as [0]." + r.gave("list")
		}
	}
	switch {
	case strings.Contains(message, "unhashable type") && strings.Contains(r.Error.Traceback, "gather("):
		return withoutAwait
	case strings.HasPrefix(message, "list indices must be integers"):
		return "this is a list: loop over it, or take an item of it such as [0]." + r.gave("list")
	case strings.HasPrefix(message, "string indices must be integers"):
		return "this is a str. Looping over a dict gives its keys; .values() and .items() give more." + r.gave("str")
	case strings.Contains(message, "'NoneType' object"):
		return strings.TrimSpace(r.gave("None"))
	}
	return ""
}

// gave names the tools whose result was of a type.
func (r *Result) gave(kind string) string {
	var names []string
	for _, call := range r.ToolCalls {
		matches := false
		switch call.Result.(type) {
		case nil:
			matches = kind == "None" && !call.Streaming && !call.Omitted
		case []any:
			matches = kind == "list"
		case string:
			matches = kind == "str"
		}
		if name := r.spelling(call.Tool); matches && call.Error == nil && !slices.Contains(names, name) && len(names) < hintTools {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	article := "a "
	if kind == "None" {
		article = ""
	}
	return " " + strings.Join(names, " and ") + " gave " + article + kind + "."
}

// keysHint tells which keys there are in a dict of a tool's result that lacks one: the
// dict that has one like it, else that of the latest call.
func (r *Result) keysHint(missing string) string {
	hint, nodes := "", 0
	for _, call := range slices.Backward(r.ToolCalls) {
		if call.Error != nil {
			continue
		}
		for queue := []any{call.Result}; len(queue) > 0 && nodes < hintNodes; queue = queue[1:] {
			nodes++
			var inner []any
			switch v := queue[0].(type) {
			case []any:
				inner = v
			case map[string]any:
				if _, there := v[missing]; there {
					continue
				}
				keys := slices.Sorted(maps.Keys(v))
				told := fmt.Sprintf("a dict that %s gave has the keys %s.", r.spelling(call.Tool), listKeys(keys))
				if near := nearKey(missing, keys); near != "" {
					return fmt.Sprintf("did you mean %q? %s", near, told)
				}
				if hint == "" && len(keys) > 0 {
					hint = told
				}
				for _, key := range keys {
					inner = append(inner, v[key])
				}
			}
			queue = append(queue, inner[:min(len(inner), hintNodes-nodes)]...)
		}
	}
	return hint
}

func nearKey(missing string, keys []string) string {
	if len(missing) > hintKeySize {
		return ""
	}
	meant := words.Split(missing)
	for _, key := range keys {
		if len(key) > hintKeySize {
			continue
		}
		for _, word := range words.Split(key) {
			if slices.ContainsFunc(meant, func(m string) bool { return words.SameStem(m, word) }) {
				return key
			}
		}
	}
	return ""
}

func listKeys(keys []string) string {
	shown := make([]string, 0, hintKeys)
	for _, key := range keys {
		if len(shown) == hintKeys {
			break
		}
		if len(key) <= hintKeySize {
			quoted, _ := json.Marshal(key) // of a string it cannot fail
			shown = append(shown, string(quoted))
		}
	}
	if hidden := len(keys) - len(shown); hidden > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", hidden))
	}
	return strings.Join(shown, ", ")
}

// signatureHint shows the tools whose arguments did not fit.
func (r *Result) signatureHint(tools *registry.View) string {
	if tools == nil {
		return ""
	}
	var wrong []*registry.Entry
	add := func(e *registry.Entry) {
		if len(wrong) < hintTools && !slices.Contains(wrong, e) {
			wrong = append(wrong, e)
		}
	}
	// What does not fit the schema was a call; what does not fit the signature is told by
	// the tool's own name.
	for _, call := range slices.Backward(r.ToolCalls) {
		if e, ok := tools.Lookup(call.Tool); ok && call.Error != nil && call.Error.Kind == registry.KindInvalidArguments && call.Error.Message == r.Error.Message {
			add(e)
			break
		}
	}
	for _, found := range calledName.FindAllStringSubmatch(middle(r.Error.Message, textTrace), -1) {
		for _, e := range named(found[1], tools) {
			add(e)
		}
	}
	var lines []string
	for _, e := range wrong {
		if line, err := schema.Signature(e.Doc()); err == nil {
			lines = append(lines, middle(line, hintLimit/hintTools))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "call it as " + strings.Join(lines, "\nor as ")
}

// nameHint says where a tool is that a program called without saying so.
func nameHint(name string, tools *registry.View) string {
	var paths []string
	for _, e := range named(name, tools) {
		if len(paths) < hintTools {
			paths = append(paths, "tools."+strings.Join(e.PythonPath(), "."))
		}
	}
	if at := tools.Resolve([]string{name}); len(paths) == 0 && at.Depth == 1 {
		paths = append(paths, "tools."+name)
	}
	if len(paths) == 0 {
		return ""
	}
	return "tools are called through tools: write " + strings.Join(paths, " or ") + "."
}

// named gives the tools whose Python name ends like this, and that are not hidden.
func named(name string, tools *registry.View) []*registry.Entry {
	return slices.DeleteFunc(tools.Mentioned(name), func(e *registry.Entry) bool {
		path := e.PythonPath()
		return path[len(path)-1] != name || e.Policy().Hidden
	})
}

// lateHint tells what took a run's time: calls one after another, one call, or the
// program.
func (r *Result) lateHint() string {
	var busy, end time.Duration // how long some call was under way
	finished, alone, waiting := 0, true, ""
	for _, call := range r.ToolCalls { // in the order in which they began
		alone = alone && call.Start >= end
		until := call.Start + call.Duration
		busy += max(0, until-max(call.Start, end))
		end = max(end, until)
		if call.Error != nil && call.Error.Kind == kindCancelled {
			waiting = r.spelling(call.Tool)
		} else {
			finished++
		}
	}
	switch total := max(r.Usage.Wall, end); {
	case busy <= total/2:
		return "the program's own work took the time: do less in one run, or only the part that is needed."
	case finished > 1 && alone:
		return "the tools took the time, one call after another: make calls that do not need each other at once, with await asyncio.gather(*[tools.name.arun(x=x) for x in xs])."
	case waiting != "":
		return "the time went to waiting for " + waiting + ": ask it for less."
	default:
		return "the tools took the time: make fewer calls in one run."
	}
}

// plainJSON is a value as a model reads it: no page will have it, so <, > and & need not
// be six characters each.
func plainJSON(v any) string {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value.Plain(v)); err != nil {
		return fmt.Sprintf("%v", v)
	}
	return strings.TrimSuffix(encoded.String(), "\n")
}
