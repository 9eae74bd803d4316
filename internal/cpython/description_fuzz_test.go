package cpython

import "testing"

// What an interpreter prints is as foreign as the path that names it.
func FuzzParseDescription(f *testing.F) {
	f.Add([]byte("\ncodemode-probe:{\"implementation\":\"cpython\",\"version\":[3,12,1],\"executable\":\"/bin/sh\",\"prefix\":\"/usr\",\"base_prefix\":\"/usr\"}\n"))
	f.Add([]byte("noise\ncodemode-probe:null\n"))
	f.Add([]byte("\ncodemode-probe:{\"version\":[3]}"))
	f.Fuzz(func(t *testing.T, out []byte) {
		d, err := parseDescription(out)
		if err != nil {
			return
		}
		for _, path := range readPaths(d.Executable, d) {
			if path == "/" || path[0] != '/' {
				t.Errorf("%q lets programs read %q", out, path)
			}
		}
	})
}
