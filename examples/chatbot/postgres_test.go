//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// startPostgres starts a server of its own, on a socket in a directory, and gives its URL.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no PostgreSQL; .ci/run installs it")
		}
		t.Skip("there is no PostgreSQL: apt-get install postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("/tmp", "pg") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	outputs := t.TempDir() // made now: a cleanup cannot make one
	run := func(name string, args ...string) {
		t.Helper()
		command := exec.Command(filepath.Join(bin, name), args...)
		command.Dir = dir
		if os.Getuid() == 0 { // it refuses to run as root
			const nobody = 65534
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		// Not a pipe: the server keeps it open, and reading it would not end.
		out, err := os.CreateTemp(outputs, name)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		command.Stdout, command.Stderr = out, out
		if err := command.Run(); err != nil {
			text, _ := os.ReadFile(out.Name()) // for the message only
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
	}
	data := filepath.Join(dir, "data")
	run("initdb", "--no-sync", "--auth=trust", "--username=chat", "-D", data)
	run("pg_ctl", "-w", "-t", "120", "-D", data, "-l", filepath.Join(dir, "log"), "-o", "-c listen_addresses='' -c fsync=off -k "+dir, "start")
	t.Cleanup(func() { run("pg_ctl", "-w", "-m", "immediate", "-D", data, "stop") })
	return "postgresql://chat@/postgres?host=" + dir
}

func TestTheSameWithPostgres(t *testing.T) {
	address := startPostgres(t)
	a := start(t, settings{model: "demo", database: address})
	if _, reply := a.ask("Get weather for NYC and save to database"); reply["result"] != "New York: 18.5 °C, partly cloudy. Saved as row 1." {
		t.Errorf("got %v", reply)
	}
	if _, reply := a.ask("delete the last row"); !strings.Contains(reply["result"], "still there") {
		t.Errorf("got %v", reply)
	}
	c := &talk{app: a}
	approved := c.mustSay("delete it", func(e told) {
		if e.kind == eventApproval {
			a.post("/conversations/"+c.id+"/approvals/1", `{"allow": true}`)
		}
	})
	if text := joined(approved, eventText); !strings.Contains(text, "Row 1 (New York) is deleted.") {
		t.Errorf("the answer is %q", text)
	}
	tryStatements(t, address)
}
