package words_test

import (
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/words"
)

func TestNamesFallApartIntoTheirWords(t *testing.T) {
	for text, want := range map[string]string{
		"get_issue": "get issue", "pullNumber": "pull number", "API-post-search": "api post search", "threadID": "thread id",
		"Lists a customer's orders.": "lists a customer s orders", "": "", "__": "", "\u65e5\u672c tool2": "\u65e5\u672c tool2",
	} {
		if got := strings.Join(words.Split(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFormsOfAWordHaveOneStem(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"issue", "issues", true}, {"repository", "repo", true}, {"create", "creating", true}, {"a", "able", false},
		{"list", "delete", false}, {"id", "identity", false}, {"page", "page", true},
	} {
		if got := words.SameStem(c.a, c.b); got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
