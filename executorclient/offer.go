package executorclient

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

// olderFor is how long an executor that was seen to be of an older version is reckoned
// with: behind one address there may be others, and it may be replaced.
const olderFor = time.Minute

// askedWithin bounds the wait for an executor to say what it knows.
const askedWithin = 5 * time.Second

// asked is whether the executors ask about tools that did not come with a program. Those
// of older versions do not, and have to get all tools.
type asked struct {
	mu    sync.Mutex
	known bool
	older time.Time // when one that does not was last seen
}

// answered asks the executor if nothing is known of it; every run tells anew. Where it
// cannot be asked, nothing is learnt, and the run says why.
func (a *asked) answered(ctx context.Context, c *Client) bool {
	a.mu.Lock()
	known, older := a.known, a.older
	a.mu.Unlock()
	if known {
		return older.IsZero() || time.Since(older) > olderFor
	}
	ctx, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	info, err := c.service.Info(ctx, &codemodev1.InfoRequest{})
	if err != nil {
		return false
	}
	return a.learn(info.GetFeatures())
}

func (a *asked) learn(features []codemodev1.Feature) bool {
	asks := slices.Contains(features, codemodev1.Feature_FEATURE_MORE_TOOLS)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = true
	if !asks {
		a.older = time.Now()
	}
	return asks
}

// toolsOf describes tools to the executor: names and signatures only, and the stubs where
// it will not ask for them.
func toolsOf(entries []*registry.Entry, stubs bool) []*codemodev1.Tool {
	tools := make([]*codemodev1.Tool, len(entries))
	for i, entry := range entries {
		if tools[i] = toolOf(entry); stubs {
			tools[i].Stub = entry.Stub()
		}
	}
	return tools
}

// helps is whether a program looks at stubs.
func helps(code string) bool {
	return strings.Contains(code, "help(") || strings.Contains(code, "__doc__")
}
