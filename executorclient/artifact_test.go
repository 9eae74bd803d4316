package executorclient

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// What an executor sends of a run's files is put together, or refused where a careless
// application would write outside its directory.
func TestFilesArePutTogetherAndTheirNamesChecked(t *testing.T) {
	part := func(name, data string, size int64) *codemodev1.Artifact {
		return &codemodev1.Artifact{Name: name, Data: []byte(data), Size: size}
	}
	for name, test := range map[string]struct {
		parts []*codemodev1.Artifact
		want  []Artifact // nil: refused
	}{
		"parts":          {[]*codemodev1.Artifact{part("a/b", "xy", 3), part("a/b", "z", 3), part("c", "", 0)}, []Artifact{{Name: "a/b", Size: 3, Data: []byte("xyz")}, {Name: "c", Data: []byte{}}}},
		"left out":       {[]*codemodev1.Artifact{{Name: "/l", Omitted: "a link"}, {Omitted: "2 more"}}, []Artifact{{Name: "/l", Omitted: "a link"}, {Omitted: "2 more"}}},
		"left out late":  {[]*codemodev1.Artifact{part("a", "x", 2), {Name: "a", Size: 2, Omitted: "gone"}}, []Artifact{{Name: "a", Size: 2, Omitted: "gone"}}},
		"absolute":       {[]*codemodev1.Artifact{part("/etc/x", "y", 1)}, nil},
		"climbing":       {[]*codemodev1.Artifact{part("a/../../x", "y", 1)}, nil},
		"the directory":  {[]*codemodev1.Artifact{part(".", "", 0)}, nil},
		"no name":        {[]*codemodev1.Artifact{part("", "y", 1)}, nil},
		"not UTF-8":      {[]*codemodev1.Artifact{part("\xff", "y", 1)}, nil},
		"too short":      {[]*codemodev1.Artifact{part("a", "y", 2)}, nil},
		"too long":       {[]*codemodev1.Artifact{part("a", "yyy", 2)}, nil},
		"twice":          {[]*codemodev1.Artifact{part("a", "y", 1), part("a", "y", 1)}, nil},
		"without an end": {slicesOf(part("a", strings.Repeat("x", 1<<20), 1<<40), 300), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{}
			var err error
			for _, p := range test.parts {
				if err = r.takeArtifact(p); err != nil {
					break
				}
			}
			if err == nil {
				err = checkArtifacts(r.result.Artifacts)
			}
			if (err != nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(test.want, r.result.Artifacts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func slicesOf(a *codemodev1.Artifact, n int) []*codemodev1.Artifact {
	all := make([]*codemodev1.Artifact, n)
	for i := range all {
		all[i] = a
	}
	return all
}

func TestAFileIsBase64InJSON(t *testing.T) {
	got, err := json.Marshal([]Artifact{{Name: "a", Size: 2, Data: []byte("hi")}, {Name: "e", Data: []byte{}}, {Name: "l", Omitted: "a link"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"name":"a","size":2,"data":"aGk="},{"name":"e","size":0,"data":""},{"name":"l","size":0,"omitted":"a link"}]`
	if string(got) != want {
		t.Errorf("%s", got)
	}
}
