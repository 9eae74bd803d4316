package config

import "flag"

// Update rewrites what tests compare with.
var Update = flag.Bool("update", false, "rewrite docs/configuration.md and the expected errors in testdata")
