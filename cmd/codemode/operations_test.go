package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// fetch gets a URL, which must answer with the status, to stdout: fetch 200 [-X METHOD] URL.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	method := http.MethodGet
	if args[1] == "-X" {
		method, args = args[2], args[2:]
	}
	var last string
	within(ts, "no answer from "+args[1], func() bool {
		request, err := http.NewRequestWithContext(context.Background(), method, args[1], http.NoBody)
		ts.Check(err)
		response, err := (&http.Client{Timeout: waittest.Patience}).Do(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		ts.Check(err)
		last = string(body)
		return response.StatusCode == want
	})
	_, err = io.WriteString(ts.Stdout(), last)
	ts.Check(err)
}

// exposition checks that a file is what Prometheus would take.
func exposition(ts *testscript.TestScript, _ bool, args []string) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	for name := range families {
		if !strings.HasPrefix(name, "codemode_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			ts.Fatalf("a metric of nobody's: %s", name)
		}
	}
}

// logged waits until a file has a line that matches.
func logged(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	within(ts, "not in "+args[0]+": "+args[1], func() bool { return pattern.MatchString(ts.ReadFile(args[0])) })
}
