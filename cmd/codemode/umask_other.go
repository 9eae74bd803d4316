//go:build !unix

package main

// ownerOnly does nothing: files take the rights of their directory here.
func ownerOnly() (restore func()) { return func() {} }
