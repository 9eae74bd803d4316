package config

import "slices"

// Changed lists the executor's keys, in the reference's order, whose values differ
// between two configurations. Of secrets it tells only that they differ.
func Changed(before, after *Config) []string {
	var paths []string
	for i := range keys {
		k := &keys[i]
		if k.readers&readBySidecar == 0 {
			continue
		}
		same := k.text(before) == k.text(after)
		if k.path == "executor.server.api_keys" {
			same = slices.EqualFunc(before.Executor.Server.APIKeys, after.Executor.Server.APIKeys, Secret.Equal)
		}
		if !same {
			paths = append(paths, k.path)
		}
	}
	return paths
}
