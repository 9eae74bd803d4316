package config

import "gopkg.in/yaml.v3"

// An OpenAPI is an HTTP API that an OpenAPI document describes, with a tool for each of its
// operations. Of File and URL, exactly one is set.
type OpenAPI struct {
	// Name becomes the namespace of the tools: 1 to 64 of A-Z a-z 0-9 _ -, beginning with a
	// letter or _.
	Name string
	// File is where the document is, in YAML or JSON.
	File string
	// URL is where the document is fetched from: http or https.
	URL string
	// BaseURL is where the API is. If empty, the first server that the document names; with
	// Headers and a URL, that must be on the document's host.
	BaseURL string
	// Headers are sent with every request to the API, and not for the document.
	Headers map[string]Secret
}

const openAPIPath = "openapi"

var openAPIKeys = []entryKey[OpenAPI]{
	{name: "file", accepts: "a path", text: func(a *OpenAPI) *string { return &a.File },
		doc: "The document, YAML or JSON."},
	{name: "url", accepts: "http://... or https://...", text: func(a *OpenAPI) *string { return &a.URL },
		doc: "Where to fetch the document when the application starts, in place of a file."},
	{name: "base_url", accepts: "http://... or https://...", text: func(a *OpenAPI) *string { return &a.BaseURL },
		doc: "Where the API is, in place of the servers that the document names. It is needed where a url and headers are there and the API is on another host than the document."},
	{name: "headers", accepts: "a section of names and texts", secrets: func(a *OpenAPI) *map[string]Secret { return &a.Headers },
		doc: "Headers for every request to the API, such as Authorization. They are not sent for the document."},
}

// Validate says what is wrong with a; the error has the code fault.Config.
func (a OpenAPI) Validate() error {
	return validateEntry(join(openAPIPath, a.Name), "the OpenAPI document "+quote(a.Name), a.check)
}

// check reports everything wrong, without the values of secrets.
func (a OpenAPI) check(report reportFunc) {
	if !entryName.MatchString(a.Name) {
		report("", quote(a.Name)+" cannot be the name of an API: write 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or _")
	}
	switch {
	case a.File == "" && a.URL == "":
		report("", "has neither a file nor a url: write one of them")
	case a.File != "" && a.URL != "":
		report("url", "cannot be there together with file: write one of them")
	}
	checkWebAddress("url", a.URL, report)
	checkWebAddress("base_url", a.BaseURL, report)
	for _, text := range []string{a.File, a.URL, a.BaseURL} {
		if err := plainText(text); err != nil {
			report("", "has a text that "+err.Error())
		}
	}
	checkHeaders(a.Headers, report)
}

// readOpenAPI reads the section openapi.
func (s *settings) readOpenAPI(file origin, written *yaml.Node) {
	kind := entryKind[OpenAPI]{section: openAPIPath, one: "a section with a file or a url", all: "a section with a name for each API", keys: openAPIKeys}
	s.config.OpenAPI = readEntries(s, file, kind, written, func(name string) OpenAPI { return OpenAPI{Name: name} }, OpenAPI.check)
}
