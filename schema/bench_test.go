package schema_test

import (
	"testing"

	"github.com/codemode-sdk/codemode/schema"
)

// A schema of the size that real tools have.
const benchSchema = `{"type":"object","properties":{
	"owner":{"type":"string","minLength":1},"repo":{"type":"string"},"number":{"type":"integer","minimum":1},
	"labels":{"type":"array","items":{"type":"string"},"maxItems":10},"state":{"enum":["open","closed"]},
	"filter":{"type":"object","properties":{"since":{"type":"string","format":"date-time"},"name":{"type":"string"}},"required":["name"]}
},"required":["owner","repo"]}`

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		parse(b, benchSchema)
	}
}

func BenchmarkStub(b *testing.B) {
	in := parse(b, benchSchema)
	for b.Loop() {
		if _, err := schema.Stub("issues", "Lists the issues of a repository.", in, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	in := parse(b, benchSchema)
	value := instance(b, `{"owner":"a","repo":"b","number":7,"labels":["x","y"],"state":"open","filter":{"name":"n"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Validate(value); err != nil {
			b.Fatal(err)
		}
	}
}
