// Package openapi makes a tool of each operation of an HTTP API that an OpenAPI document
// describes, 3.0 or 3.1, in YAML or JSON:
//
//	reg.Attach(&openapi.Source{
//		Name: "shop", File: "shop.yaml", BaseURL: "https://shop.example.com/v2",
//		Header: http.Header{"Authorization": {"Bearer " + token}},
//	})
//
// codemode.New reads the document, and a program calls tools.shop.get_order(id=7). The
// same documents can stand in codemode.yaml, under openapi, for an application that imports
// this package:
//
//	import _ "github.com/codemode-sdk/codemode/adapters/openapi"
//
// # Arguments
//
// A parameter is an argument, wherever in the request it goes, and is written in the
// style that the document gives it. The properties of a body that is a plain object are
// arguments beside them; any other body is the argument "body". Required arguments come
// first, in the order of the path and then of the document. Where a property has the name
// of a parameter, the body stays in one piece; of two parameters with one name, the later
// is called query_NAME, header_NAME or cookie_NAME.
//
// A body is sent as JSON where the operation takes that, else as a form, as multipart, or
// as it is. What is binary takes bytes.
//
// # Results
//
// JSON arrives as Python values, integers of any length included, text as a str, anything
// else as bytes, and nothing as None. A status of 300 or more is a ToolError with the
// status and the beginning of the body: of kind denied for 401 and 403, timeout for 408
// and 504, limit for 429, unavailable for 502 and 503, else failed. Headers of a response
// are not shown.
//
// # What a program cannot do
//
// Credentials come from Source.Header, Source.Edit or the http.Client, which programs do
// not see and cannot override: parameters that the document's security schemes name are
// no arguments. No argument leaves its place in the request: a path parameter cannot be
// empty, hold a step such as "..", or reach another path by encoding; a query parameter
// cannot add another; a header cannot end its line. A redirect to another host is not
// followed, unless the http.Client says so itself.
//
// # Policies
//
// GET, HEAD, OPTIONS and TRACE are ReadOnly, DELETE is Destructive, PUT and DELETE are
// Idempotent; Registry.SetPolicies changes that, and what has to be approved.
//
// # What is not taken
//
// References to other files (bundle the document first), $dynamicRef and $anchor,
// callbacks, webhooks, links. An operation that cannot be used is left out, with a
// warning to Source.Logger.
package openapi
