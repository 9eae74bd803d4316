package mcp_test

func commandServer() {}
