//go:build !unix

package main

// onlyFor does nothing: files take the rights of their directory here.
func onlyFor(string) (restore func()) { return func() {} }
