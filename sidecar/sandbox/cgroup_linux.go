package sandbox

import (
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// threadSlack is how many threads over its limit a worker can have: the executor, which
// says what happened, sees those; the kernel refuses the next.
const threadSlack = 16

// kernelSlack is for what the kernel keeps for a worker: page tables, pipes, descriptors.
const kernelSlack = 32 << 20

// useCgroups bounds what a run uses together, where a part of the cgroup hierarchy is the
// executor's. A hierarchy without controllers, as on machines that have them in version 1,
// can still end all processes of a run at once, which is of use if there can be several.
func (p *Plan) useCgroups(o Options) {
	if o.Limits.Processors > 0 && (o.Cgroups == nil || !o.Cgroups.Has("cpu")) {
		p.refuse(fault.New(fault.Sandbox, "limits.processors takes the cpu controller of a cgroup v2 hierarchy").
			WithRemedy("give the executor a part of the hierarchy (Delegate=yes in its unit), or leave limits.processors at 0"))
	}
	switch {
	case o.Cgroups == nil:
		why := "not tried"
		if o.NoCgroups != nil {
			why = o.NoCgroups.Error()
		}
		p.layer(Cgroup, false, why+"; rlimits and the executor's watch stand in")
		return
	case len(o.Cgroups.Controllers()) == 0:
		p.Cgroups = o.Cgroups
		p.layer(Cgroup, false, "ends all processes of a run at once (cgroup.kill), and bounds nothing: the hierarchy has no controllers")
		return
	}
	p.Cgroups = o.Cgroups
	p.Group.Processes = o.Limits.Threads + threadSlack
	p.Group.Processors = o.Limits.Processors
	p.GroupSlack = reportSlack + kernelSlack + o.Limits.ScratchBytes + o.Files.OutputsBytes
	p.Group.MemoryBytes = o.Limits.MemoryBytes + p.GroupSlack
	bounded := []string{}
	for _, controller := range o.Cgroups.Controllers() {
		bounded = append(bounded, map[string]string{
			"memory": "memory with files and the kernel's share", "pids": "processes and threads", "cpu": "processors",
		}[controller])
	}
	both := o.Cgroups.Has("memory") && o.Cgroups.Has("pids")
	detail := "each run: " + strings.Join(bounded, ", ")
	if !both {
		detail += "; the memory and pids controllers would be needed for more"
	}
	p.layer(Cgroup, both, detail)
}
