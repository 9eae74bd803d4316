package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The file adds to one of another directory, whose services may get other names.
func TestTheComposeFileMakesTheChatTheApplication(t *testing.T) {
	files := []string{"../../deploy/compose/compose.yaml", "compose.yaml"}
	for _, file := range files { // so that a result is not kept when they change
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
	compose := exec.Command(installed(t, "docker-compose"), "-f", files[0], "-f", files[1], "config")
	compose.Env = append(os.Environ(), "CODEMODE_API_KEY=key", "DB_PASSWORD=password", "APP_IMAGE=codemode-chatbot", "OPENAI_MODEL=some-model")
	out, err := compose.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Every service has an image: none is there in name only, for what this file adds to it.
	images := strings.Count(string(out), "\n    image: ")
	for _, want := range []string{"image: codemode-chatbot", "OPENAI_MODEL: some-model", "CODEMODE_MAX_EXEC_TIME:", "DATABASE_URL: postgresql://"} {
		if !strings.Contains(string(out), want) || images != 3 {
			t.Errorf("of 3 services %d have an image, %q is in it: %v\n%s", images, want, strings.Contains(string(out), want), out)
		}
	}
}
