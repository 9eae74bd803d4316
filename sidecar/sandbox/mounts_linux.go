package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Files are the directories that programs are shown besides the interpreter's own.
type Files struct {
	// Workspace is a directory that all programs share; none if its Path is empty.
	Workspace Directory
	// Scratch is each program's own directory. If its Path is empty, /sandbox where
	// mounts can be made, and a place of the executor's choice elsewhere.
	Scratch Directory
	// Outputs is a fresh directory for each program's results; none if its Path is empty.
	Outputs Directory
	// OutputsBytes and OutputsFiles bound the outputs of one program where they are a
	// mount of their own.
	OutputsBytes, OutputsFiles int64
}

// A Directory is one of Files.
type Directory struct {
	// Path is where programs see it.
	Path string
	// Source is the executor's directory behind a workspace.
	Source   string
	Readonly bool
}

// DefaultScratch is the program's own directory where it has a root of its own.
const DefaultScratch = "/sandbox"

// workspacePlan is a directory to bind into the root of a fork server.
type workspacePlan struct {
	Source   string `json:"source"`
	Path     string `json:"path"`
	Readonly bool   `json:"readonly"`
}

// filesPlan is what a worker does about its own directories.
type filesPlan struct {
	ScratchReadonly bool `json:"scratch_readonly"`
	// Outputs is empty if there are none, or each worker is told where they are.
	Outputs         string `json:"outputs"`
	OutputsOptions  string `json:"outputs_options"`
	OutputsReadonly bool   `json:"outputs_readonly"`
	OutputsAccess   uint64 `json:"outputs_access"`
}

// checkFiles finds what cannot be, whatever the machine can enforce.
func (o *Options) checkFiles() error {
	w := o.Files.Workspace
	if w.Path == "" {
		return nil
	}
	source, err := filepath.EvalSymlinks(w.Source)
	if err == nil {
		var info os.FileInfo
		if info, err = os.Stat(source); err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a directory", source)
		}
	}
	if err != nil {
		return fault.Wrap(fault.Config, err, "filesystem.workspace cannot be shown to programs").
			WithRemedy("make the directory, mount a volume there, or correct filesystem.workspace.source")
	}
	for _, path := range o.ReadPaths {
		if !w.Readonly && overlap(real(path), source) {
			return fault.New(fault.Config, "filesystem.workspace %s is writable and holds parts of the interpreter, %s: "+
				"one program could change what the next one runs", source, path).
				WithRemedy("set filesystem.workspace.readonly, or keep the interpreter elsewhere")
		}
	}
	return nil
}

// useFiles plans the directories, after namespaces and Landlock have been decided on.
func (p *Plan) useFiles(o Options) {
	f := o.Files
	own, landlock := p.message.Root != nil, p.message.Worker.Landlock
	if f.Workspace.Path == "" && f.Outputs.Path == "" && f.Scratch.Path == "" && !f.Scratch.Readonly {
		return
	}
	if own {
		p.bindFiles(o)
	} else {
		p.confineFiles(o)
	}
	plan := &filesPlan{ScratchReadonly: f.Scratch.Readonly, OutputsReadonly: f.Outputs.Readonly}
	if own && f.Outputs.Path != "" {
		plan.Outputs = f.Outputs.Path
		plan.OutputsOptions = fmt.Sprintf("mode=0700,size=%d,nr_inodes=%d", f.OutputsBytes, f.OutputsFiles)
		if id := p.message.User; id != nil {
			plan.OutputsOptions += fmt.Sprintf(",uid=%d,gid=%d", *id, *id)
		}
		p.Outputs = f.Outputs.Path
	}
	p.message.Worker.Files = plan
	if landlock == nil {
		return
	}
	plan.OutputsAccess = landlock.ScratchAccess
	if f.Outputs.Readonly {
		plan.OutputsAccess = readTree
	}
	if w := f.Workspace; w.Path != "" {
		access := landlock.ScratchAccess
		if w.Readonly {
			access = readTree
		}
		landlock.allow(w.Path, access)
	}
	if f.Scratch.Readonly {
		landlock.ScratchAccess = readTree
	}
}

// bindFiles shows the directories by mounts.
func (p *Plan) bindFiles(o Options) {
	f, root := o.Files, p.message.Root
	for _, m := range []struct{ name, path string }{
		{"workspace", f.Workspace.Path}, {"sandbox", f.Scratch.Path}, {"outputs", f.Outputs.Path},
	} {
		for _, taken := range root.Paths {
			if m.path != "" && overlap(taken, m.path) {
				p.refuse(fault.New(fault.Sandbox, "filesystem.%s.mount %s would hide %s, which the interpreter needs", m.name, m.path, taken).
					WithRemedy("choose another path for filesystem.%s.mount", m.name))
			}
		}
	}
	var shown []string
	if w := f.Workspace; w.Path != "" {
		root.Workspace = &workspacePlan{Source: w.Source, Path: w.Path, Readonly: w.Readonly}
		shown = append(shown, w.describe())
	}
	if f.Outputs.Path != "" {
		root.Outputs = f.Outputs.Path
		shown = append(shown, f.Outputs.describe())
	}
	p.amend(Mount, shown)
}

// confineFiles is bindFiles where nothing can be mounted: there is only what Landlock
// lets a worker reach, at the paths where the executor itself sees it.
func (p *Plan) confineFiles(o Options) {
	f, landlock := o.Files, p.message.Worker.Landlock
	if landlock == nil {
		p.refuse(fault.New(fault.Sandbox, "filesystem cannot be enforced here: there are neither mounts nor Landlock").
			WithRemedy("use a kernel with Landlock, or remove the section filesystem"))
		return
	}
	var shown []string
	if w := f.Workspace; w.Path != "" {
		if w.Path != w.Source {
			p.refuse(fault.New(fault.Sandbox, "filesystem.workspace %s cannot be shown at %s: no mount can be made here", w.Source, w.Path).
				WithRemedy("mount the directory at %s, and remove filesystem.workspace.source", w.Path))
		}
		if w.Readonly && landlock.HandledFS&unix.LANDLOCK_ACCESS_FS_TRUNCATE == 0 {
			p.refuse(fault.New(fault.Sandbox, "filesystem.workspace.readonly cannot be enforced here: this Landlock does not keep files from being truncated").
				WithRemedy("use Linux 6.2 or newer"))
		}
		if within(real(os.TempDir()), real(w.Source)) {
			p.refuse(fault.New(fault.Sandbox, "filesystem.workspace %s would show every program the directories of the others, which are in %s", w.Source, os.TempDir()).
				WithRemedy("keep TMPDIR out of the workspace"))
		}
		shown = append(shown, w.describe())
	}
	for _, m := range []struct {
		name string
		Directory
		base *string
	}{{"sandbox", f.Scratch, &p.ScratchBase}, {"outputs", f.Outputs, &p.OutputsBase}} {
		if m.Path == "" {
			continue
		}
		if err := unix.Access(m.Path, unix.W_OK|unix.X_OK); err != nil {
			p.refuse(fault.New(fault.Sandbox, "filesystem.%s.mount %s cannot be used where no mounts can be made: %v", m.name, m.Path, err).
				WithRemedy("mount a writable volume at %s", m.Path))
		}
		for _, path := range append([]string{f.Workspace.Path}, o.ReadPaths...) {
			if path != "" && overlap(real(path), real(m.Path)) {
				p.refuse(fault.New(fault.Sandbox, "filesystem.%s.mount %s would show every program the directories of the others: all can read %s", m.name, m.Path, path).
					WithRemedy("choose another path for filesystem.%s.mount", m.name))
			}
		}
		*m.base = m.Path
		shown = append(shown, m.describe())
	}
	p.amend(Landlock, shown)
}

func (d Directory) describe() string {
	if d.Readonly {
		return d.Path + " (read-only)"
	}
	return d.Path
}

// amend adds to what a layer says that it does.
func (p *Plan) amend(layer string, shown []string) {
	for i := range p.Layers {
		if p.Layers[i].Name == layer && len(shown) > 0 {
			p.Layers[i].Detail += "; also " + strings.Join(shown, ", ")
		}
	}
}

// refuse keeps the first reason why a plan must not be carried out although it could be.
func (p *Plan) refuse(reason *fault.Error) {
	if p.refusal == nil {
		p.refusal = reason
	}
}

// Refusal says what the configuration asks for and this plan cannot enforce, or nil; cause
// is why no stronger plan can be had, or nil. The error has code fault.Sandbox.
func (p *Plan) Refusal(cause error) error {
	if p.refusal == nil {
		return nil
	}
	refusal := *p.refusal
	if refusal.Err == nil {
		refusal.Err = cause
	}
	return &refusal
}

// overlap says whether one path is the other or lies below it.
func overlap(a, b string) bool { return within(a, b) || within(b, a) }

// within says whether a clean path is another or lies below it.
func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, strings.TrimSuffix(outer, "/")+"/")
}

// real resolves links; what does not exist leads to itself.
func real(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return filepath.Clean(path)
}
