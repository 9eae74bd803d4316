package executorclient

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// Bounds on what is kept of a run's files whatever the executor sends.
const (
	artifactBytes = 256 << 20
	artifactCount = 11_000
)

// takeArtifact takes a file, the next part of one, or word of one that was left out.
func (r *run) takeArtifact(m *codemodev1.Artifact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := &r.result.Artifacts
	var last *Artifact
	if n := len(*all); n > 0 && (*all)[n-1].Name == m.GetName() && (*all)[n-1].Omitted == "" {
		last = &(*all)[n-1]
	}
	r.artifactBytes += int64(len(m.GetData()))
	switch {
	case r.artifactBytes > artifactBytes || len(*all) >= artifactCount:
		return fault.New(fault.Unavailable, "the executor sent more than %d files or %d bytes of files", artifactCount, artifactBytes)
	case m.GetOmitted() != "":
		artifact := Artifact{Name: m.GetName(), Size: m.GetSize(), Omitted: m.GetOmitted()}
		if last != nil {
			*last = artifact
		} else {
			*all = append(*all, artifact)
		}
		return nil
	case !fs.ValidPath(m.GetName()) || m.GetName() == ".":
		return fault.New(fault.Unavailable, "the executor sent a file with a name that is no path")
	case last == nil:
		*all = append(*all, Artifact{Name: m.GetName(), Size: m.GetSize(), Data: append([]byte{}, m.GetData()...)})
	default:
		last.Data = append(last.Data, m.GetData()...)
	}
	return nil
}

// checkArtifacts holds the files to the sizes that were announced.
func checkArtifacts(all []Artifact) error {
	for _, a := range all {
		if a.Omitted == "" && int64(len(a.Data)) != a.Size {
			return fault.New(fault.Unavailable, "the executor sent %d of the %d bytes of a file", len(a.Data), a.Size)
		}
	}
	return nil
}

// textArtifacts bounds how many files Text names.
const textArtifacts = 20

// artifactLine tells a model which files it has left.
func (r *Result) artifactLine() string {
	var files []string
	for i, a := range r.Artifacts {
		if i == textArtifacts {
			files = append(files, fmt.Sprintf("... and %d more", len(r.Artifacts)-i))
			break
		}
		name := middle(fmt.Sprintf("%q", a.Name), 200)
		switch {
		case a.Name == "":
			files = append(files, a.Omitted)
		case a.Omitted != "":
			files = append(files, name+" was left out: "+middle(a.Omitted, 200))
		default:
			files = append(files, fmt.Sprintf("%s (%d bytes)", name, a.Size))
		}
	}
	return "files: " + strings.Join(files, "; ")
}
