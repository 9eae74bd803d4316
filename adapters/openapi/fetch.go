package openapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
)

// text gives the document's text, cut off one byte behind the bound.
func (s *Source) text(ctx context.Context) ([]byte, error) {
	given := 0
	for _, is := range []bool{s.Document != nil, s.File != "", s.URL != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, fault.New(fault.Invalid, "it needs a Document, a File or a URL").WithRemedy("set one of them")
	case s.Document != nil:
		return s.Document, nil
	case s.URL != "":
		return s.fetch(ctx)
	}
	file, err := os.Open(s.File)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the OpenAPI document cannot be read")
	}
	defer func() { _ = file.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, MaxDocumentBytes+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the OpenAPI document cannot be read")
	}
	return text, nil
}

// fetch gets the document from URL. Its errors do not show the URL, which may hold a secret,
// but for the host.
func (s *Source) fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "the URL of the OpenAPI document is no http or https URL")
	}
	request.Header.Set("User-Agent", "codemode/"+version.String())
	response, err := s.client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, fault.Wrap(fault.Unavailable, err, "the OpenAPI document cannot be fetched from %s", request.URL.Host)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fault.New(fault.Unavailable, "the OpenAPI document cannot be fetched: %s answered %s", request.URL.Host, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxDocumentBytes+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the OpenAPI document from %s ended too early", request.URL.Host)
	}
	return text, nil
}
