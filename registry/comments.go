package registry

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSourceFiles and maxSourceBytes bound what is read of one package for its comments.
	maxSourceFiles = 1000
	maxSourceBytes = 4 << 20 // a file
)

// comments are the doc comments of a type's package, and of packages near it, where their
// source is there. What cannot be found or read has none: they are a service, and no
// registration fails for want of them.
type comments struct {
	home     string // the import path of the receiver's package
	dir      string // its directory; empty if unknown
	packages map[string]*sourcePackage
}

// A sourcePackage is what was read of one directory.
type sourcePackage struct {
	types   map[string]*ast.TypeSpec
	docs    map[string]string // of types
	methods map[[2]string]string
	unnamed []*ast.StructType // of the methods' parameters and results
}

// commentsOf reads the source of a receiver's package: from files, or from the directory
// that the program was compiled in.
func commentsOf(receiver reflect.Type, files fs.FS) *comments {
	named := receiver
	if named.Kind() == reflect.Pointer {
		named = named.Elem()
	}
	c := &comments{home: named.PkgPath(), packages: map[string]*sourcePackage{}}
	if files != nil {
		c.packages[c.home] = readPackage(files, "")
		return c
	}
	for i := range receiver.NumMethod() {
		// A promoted method is in its own type's file, and one of a pointer to a type whose
		// method has no pointer is in none.
		for _, t := range []reflect.Type{receiver, named} {
			m, ok := t.MethodByName(receiver.Method(i).Name)
			if !ok {
				continue
			}
			f := runtime.FuncForPC(m.Func.Pointer())
			if f == nil {
				continue
			}
			file, _ := f.FileLine(f.Entry())
			if !filepath.IsAbs(file) {
				continue
			}
			dir := filepath.Dir(file)
			p := readPackage(os.DirFS(dir), packageName(dir, filepath.Base(file)))
			if p.types[typeName(named)] != nil {
				c.dir, c.packages[c.home] = dir, p
				return c
			}
		}
	}
	return c
}

// packageName tells which of the packages in a directory a file belongs to.
func packageName(dir, file string) string {
	if f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, parser.PackageClauseOnly); err == nil {
		return f.Name.Name
	}
	return ""
}

// in gives a package's comments; nil if they are not to be had.
func (c *comments) in(importPath string) *sourcePackage {
	if p, known := c.packages[importPath]; known || c.dir == "" {
		return p
	}
	var p *sourcePackage
	if dir := beside(c.home, c.dir, importPath); dir != "" {
		p = readPackage(os.DirFS(dir), "")
	}
	c.packages[importPath] = p
	return p
}

// beside guesses the directory of a package of the same module: it is to home's directory
// as its import path is to home's. It gives nothing where the paths do not agree so far.
func beside(home, dir, importPath string) string {
	if !strings.HasSuffix(dir, "_test") {
		home = strings.TrimSuffix(home, "_test") // as the package of a test is called
	}
	from, to, at := strings.Split(home, "/"), strings.Split(importPath, "/"), filepath.ToSlash(dir)
	common := 0
	for common < min(len(from), len(to)) && from[common] == to[common] {
		common++
	}
	if common == 0 {
		return ""
	}
	for _, part := range slices.Backward(from[common:]) {
		if path.Base(at) != part {
			return ""
		}
		at = path.Dir(at)
	}
	return filepath.FromSlash(path.Join(append([]string{at}, to[common:]...)...))
}

// readPackage reads the Go files of a directory that belong to the package of a name, or,
// without one, to that which is not a test's.
func readPackage(files fs.FS, name string) *sourcePackage {
	p := &sourcePackage{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, methods: map[[2]string]string{}}
	names, err := fs.Glob(files, "*.go")
	if err != nil || len(names) > maxSourceFiles {
		return p
	}
	set := token.NewFileSet()
	for _, file := range names {
		source, err := readSource(files, file)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(set, file, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || name != "" && f.Name.Name != name || name == "" && strings.HasSuffix(f.Name.Name, "_test") {
			continue
		}
		p.take(f)
	}
	return p
}

func readSource(files fs.FS, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceBytes {
		return nil, fs.ErrInvalid
	}
	return io.ReadAll(io.LimitReader(f, maxSourceBytes))
}

func (p *sourcePackage) take(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || len(d.Recv.List) != 1 {
				continue
			}
			if d.Doc != nil {
				p.methods[[2]string{receiverName(d.Recv.List[0].Type), d.Name.Name}] = prose(d.Doc)
			}
			ast.Inspect(d.Type, func(n ast.Node) bool {
				if t, ok := n.(*ast.StructType); ok {
					p.unnamed = append(p.unnamed, t)
				}
				return true
			})
		case *ast.GenDecl:
			for _, s := range d.Specs {
				t, ok := s.(*ast.TypeSpec)
				if !ok {
					continue
				}
				p.types[t.Name.Name] = t
				group := t.Doc
				if group == nil && len(d.Specs) == 1 {
					group = d.Doc
				}
				p.docs[t.Name.Name] = prose(group)
			}
		}
	}
}

// receiverName is the name of a receiver's type, without pointer and type parameters.
func receiverName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// prose is a comment as plain text, a line for each paragraph.
func prose(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	p := comment.Parser{LookupSym: func(string, string) bool { return true }} // [Name] is Name
	text := (&comment.Printer{TextWidth: -1}).Text(p.Parse(group.Text()))
	return strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD"))
}

// method is what a method does, in words that begin without its Go name, which a program
// spells in another way.
func (c *comments) method(t reflect.Type, name string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p := c.in(t.PkgPath()); p != nil {
		if text := p.methods[[2]string{typeName(t), name}]; text != "" {
			return withoutName(text, name)
		}
	}
	if t.Kind() != reflect.Struct {
		return ""
	}
	for i := range t.NumField() { // where it may be promoted from
		f := t.Field(i)
		if _, has := f.Type.MethodByName(name); f.Anonymous && f.Type != t && has && f.Type.Kind() != reflect.Interface {
			return c.method(f.Type, name)
		}
	}
	return ""
}

func withoutName(text, name string) string {
	rest, found := strings.CutPrefix(text, name+" ")
	if !found {
		return text
	}
	first, size := utf8.DecodeRuneInString(rest)
	return string(unicode.ToUpper(first)) + rest[size:]
}

// of is a schema.Docs.
func (c *comments) of(t reflect.Type, field string) string {
	if t.Name() == "" {
		return c.ofUnnamed(t, field)
	}
	p := c.in(t.PkgPath())
	if p == nil {
		return ""
	}
	spec := p.types[typeName(t)]
	if spec == nil {
		return ""
	}
	declared, ok := spec.Type.(*ast.StructType)
	switch {
	case !ok || !sameFields(declared, t):
		return ""
	case field == "":
		return p.docs[spec.Name.Name]
	}
	return fieldComment(declared, field)
}

// ofUnnamed is of for a struct that stands where a method takes or gives it. It is known by
// its fields alone: where two have the same, and say different things, nothing is taken.
func (c *comments) ofUnnamed(t reflect.Type, field string) (text string) {
	p := c.in(c.home)
	if p == nil {
		return ""
	}
	first := true
	for _, declared := range p.unnamed {
		if !sameFields(declared, t) {
			continue
		}
		if other := fieldComment(declared, field); first {
			text, first = other, false
		} else if other != text {
			return ""
		}
	}
	return text
}

func fieldComment(declared *ast.StructType, field string) string {
	for _, f := range declared.Fields.List {
		if slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == field }) {
			if f.Doc != nil {
				return prose(f.Doc)
			}
			return prose(f.Comment)
		}
	}
	return ""
}

func typeName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// sameFields says whether a declaration can be that of the type: one inside a function may
// have the same name, and the files may be newer than the program.
func sameFields(declared *ast.StructType, t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	i := 0
	for _, f := range declared.Fields.List {
		for _, name := range f.Names {
			if i >= t.NumField() || t.Field(i).Name != name.Name {
				return false
			}
			i++
		}
		if len(f.Names) == 0 {
			if i >= t.NumField() || !t.Field(i).Anonymous {
				return false
			}
			i++
		}
	}
	return i == t.NumField()
}
