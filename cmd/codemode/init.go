package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/codemode-sdk/codemode/config"
)

func initCommand() command {
	return command{
		name:    "init",
		usage:   "init [--force] [FILE]",
		summary: "writes a commented codemode.yaml",
		help:    "FILE is codemode.yaml unless it is named.",
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			force := flags.Bool("force", false, "replace a file that exists")
			return func(args []string) (int, error) {
				path, err := oneFile(args, config.FileName)
				if err == nil {
					err = writeConfig(path, *force)
				}
				if err != nil {
					return exitOther, err
				}
				fmt.Fprintf(io.out, "wrote %s\n", path)
				return exitOK, nil
			}
		},
	}
}

func writeConfig(path string, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already (--force replaces it)", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(config.Init())
	return errors.Join(err, f.Close())
}

func validateCommand() command {
	return command{
		name:    "validate",
		usage:   "validate [--config FILE] [FILE]",
		summary: "checks the configuration and lists everything that is wrong",
		help: `
FILE is what CODEMODE_CONFIG names, else codemode.yaml, unless it is named. The
environment takes part, as it does when the configuration is used. Where executor.url
leads to an executor elsewhere, the file is an application's, and what only an executor
would miss in it is said and is no error. Neither is a certificate or key that cannot be
read: the configuration may be for another machine.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			file := flags.String("config", "", "check `FILE`, which may also stand alone")
			return func(args []string) (int, error) {
				if flags.given("config") {
					args = append(args, *file)
				}
				path, err := oneFile(args, "")
				if err != nil {
					return exitOther, err
				}
				for _, line := range config.UnknownVariables(os.Environ()) {
					fmt.Fprintf(io.err, "codemode validate: %s\n", line)
				}
				loaded, err := config.Load(path)
				if err != nil {
					return exitOther, err
				}
				if err := loaded.Sidecar().Validate(); err != nil {
					if loaded.Client().Embedded() {
						return exitOther, err
					}
					fmt.Fprintf(io.err, "codemode validate: for an application only: %v\n", err)
				}
				for _, problem := range unusableTLS(loaded.GRPC.TLS) {
					fmt.Fprintf(io.err, "codemode validate: not usable here: %s\n", problem)
				}
				if loaded.File == "" {
					loaded.File = "the configuration (no file, the environment and the defaults)"
				}
				fmt.Fprintf(io.out, "%s is valid\n", loaded.File)
				return exitOK, nil
			}
		},
	}
}

func oneFile(args []string, fallback string) (string, error) {
	switch len(args) {
	case 0:
		return fallback, nil
	case 1:
		return args[0], nil
	}
	return "", fmt.Errorf("takes one file (%d given)", len(args))
}
