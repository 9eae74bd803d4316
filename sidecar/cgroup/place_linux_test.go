package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Wherever the hierarchy is mounted, an executor finds its own cgroup in it.
func TestOwnCgroupIsFound(t *testing.T) {
	const (
		unified  = "31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid   = "40 32 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 32 0:29 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"
		shared   = "50 32 0:27 /system.slice/docker-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		elsewise = "50 32 0:27 / /mnt/with\\040blank rw - cgroup2 cgroup rw\n"
	)
	for name, test := range map[string]struct{ membership, mounts, mount, own, err string }{
		"a unit":           {"0::/system.slice/codemode.service\n", unified, "/sys/fs/cgroup", "/system.slice/codemode.service", ""},
		"a namespace":      {"0::/\n", unified, "/sys/fs/cgroup", "/", ""},
		"beside version 1": {"4:memory:/x\n0::/user.slice\n", hybrid, "/sys/fs/cgroup/unified", "/user.slice", ""},
		"a part is shown":  {"0::/system.slice/docker-1.scope/in\n", shared, "/sys/fs/cgroup", "/in", ""},
		"another is shown": {"0::/user.slice\n", shared, "", "", "no mount shows"},
		"outside the view": {"0::/../other\n", unified, "", "", "outside its cgroup namespace"},
		"a blank":          {"0::/a\n", elsewise, "/mnt/with blank", "/a", ""},
		"version 1 alone":  {"4:memory:/x\n", hybrid, "", "", "no cgroup v2"},
		"not mounted":      {"0::/a\n", "22 1 8:1 / / rw - ext4 /dev/sda rw\n", "", "", "no mount shows"},
		"nonsense":         {"0::\n", "x\n - \n - cgroup2\n", "", "", "no mount shows"},
	} {
		t.Run(name, func(t *testing.T) {
			mount, own, err := locate(test.membership, test.mounts)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%q %q %v, want an error with %q", mount, own, err, test.err)
				}
				return
			}
			if err != nil || mount != test.mount || own != test.own {
				t.Errorf("%q %q %v, want %q %q", mount, own, err, test.mount, test.own)
			}
		})
	}
}

// Only what was handed over to the executor is divided; what is systemd's, or has other
// people's processes in it, is left alone.
func TestOnlyADelegatedCgroupIsTaken(t *testing.T) {
	const unit = "/system.slice/codemode.service"
	for name, test := range map[string]struct {
		own       string
		euid      int
		owner     int
		delegated string
		procs     map[string]string
		want, err string
	}{
		"delegated to root":         {own: unit, delegated: unit, want: unit},
		"delegated to a user":       {own: unit, euid: 7, owner: 7, delegated: unit, want: unit},
		"a unit of root":            {own: unit, err: "Delegate=yes"},
		"a unit of another user":    {own: unit, euid: 7, err: "Delegate=yes"},
		"a container":               {own: "/", want: "/"},
		"a subgroup":                {own: unit + "/main", delegated: unit, want: unit},
		"a subgroup beside others":  {own: unit + "/main", delegated: unit, procs: map[string]string{unit: "9\n"}, err: "Delegate=yes"},
		"a user's, alone":           {own: unit, euid: 7, owner: 7, procs: map[string]string{unit: "1\n"}, want: unit},
		"a user's, with a shell":    {own: unit, euid: 7, owner: 7, procs: map[string]string{unit: "1\n2\n"}, err: "process 2 is in"},
		"one that was taken before": {own: unit + "/" + leaf, want: unit},
	} {
		t.Run(name, func(t *testing.T) {
			mount := t.TempDir()
			for path := filepath.Join(mount, test.own); strings.HasPrefix(path, mount); path = filepath.Dir(path) {
				if err := os.MkdirAll(path, 0o755); err != nil {
					t.Fatal(err)
				}
				inside, err := filepath.Rel(mount, path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(path, "cgroup.procs"), []byte(test.procs[filepath.Join("/", inside)]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := place{
				mount: mount, own: test.own, euid: test.euid,
				delegated: func(path string) bool { return test.delegated != "" && path == filepath.Join(mount, test.delegated) },
				owner:     func(string) int { return test.owner },
				ours:      func(pid int) bool { return pid == 1 },
			}.base()
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%q %v, want an error with %q", got, err, test.err)
				}
				return
			}
			if err != nil || got != filepath.Join(mount, test.want) {
				t.Errorf("%q %v, want %q", got, err, test.want)
			}
		})
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("0::/a\n", "31 23 0:27 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n")
	f.Fuzz(func(t *testing.T, membership, mounts string) {
		if _, own, err := locate(membership, mounts); err == nil && (own == "" || own[0] != '/' || strings.HasPrefix(own, "/..")) {
			t.Errorf("own cgroup %q", own)
		}
	})
}
