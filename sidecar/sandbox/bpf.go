package sandbox

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A seccomp filter is a program for the kernel's classic BPF machine that is run at
// every system call. This file turns a policy, a map from system call numbers to
// decisions, into a binary search tree, so that no call costs more than about ten
// instructions and installing the filter (the kernel runs it once for every number to
// learn which calls are always allowed) stays cheap.

// Decisions: what SECCOMP_RET_* the filter returns.
const (
	retKillProcess = 0x80000000
	retErrno       = 0x00050000
	retUserNotif   = 0x7fc00000 // the executor decides
	retAllow       = 0x7fff0000
)

// selfPID stands for the process's own pid in a check; the worker, which alone knows
// it, writes it over this value before it installs the filter.
const selfPID = 0xfffffffe

// A decision is what happens to one system call.
type decision struct {
	// checks must all hold for the call to be allowed; no checks: the verdict is otherwise.
	checks []check
	// otherwise is what is returned when a check fails, or when there are none.
	otherwise uint32
	// holds is what is returned when all checks hold. If zero, the call is allowed.
	holds uint32
}

// A check holds if the low half of an argument, masked, is one of the values. The
// kernel itself looks at no more than that half of an int, and clone ignores the rest.
type check struct {
	arg    int
	mask   uint32
	values []uint32
}

func allow() decision              { return decision{otherwise: retAllow} }
func refuse(errno uint32) decision { return decision{otherwise: retErrno | errno} }

func allowIf(errno uint32, checks ...check) decision {
	return decision{checks: checks, otherwise: retErrno | errno}
}

func argIn(arg int, values ...uint32) check {
	return check{arg: arg, mask: ^uint32(0), values: values}
}

func argMasked(arg int, mask, value uint32) check {
	return check{arg: arg, mask: mask, values: []uint32{value}}
}

// An instruction is a struct sock_filter.
type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

const (
	bpfLoad   = 0x20 // BPF_LD | BPF_W | BPF_ABS
	bpfAnd    = 0x54 // BPF_ALU | BPF_AND | BPF_K
	bpfJump   = 0x05 // BPF_JMP | BPF_JA
	bpfEqual  = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	bpfAtOver = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	bpfReturn = 0x06 // BPF_RET | BPF_K

	// Offsets in struct seccomp_data.
	dataNumber = 0
	dataArch   = 4
	dataArgs   = 16

	// System calls of the x32 ABI carry this bit on amd64.
	x32Bit = 0x40000000
)

// A Filter is an assembled program.
type Filter struct {
	// Code is an array of struct sock_filter in this machine's byte order.
	Code []byte `json:"code"`
	// PIDOffsets are the places in Code where the process's own pid belongs.
	PIDOffsets []int `json:"pid_offsets"`
}

// assemble writes the filter for a policy; calls that it does not name get the fallback.
func assemble(arch uint32, policy map[uint32]decision, fallback decision) Filter {
	steps := intervals(policy, fallback)
	program := []instruction{
		{code: bpfLoad, k: dataArch},
		{code: bpfEqual, k: arch, jt: 1},
		{code: bpfReturn, k: retKillProcess}, // another ABI: numbers mean something else
		{code: bpfLoad, k: dataNumber},
	}
	program = append(program, tree(steps)...)
	filter := Filter{PIDOffsets: []int{}}
	for i, ins := range program {
		if ins.k == selfPID && ins.code == bpfEqual {
			filter.PIDOffsets = append(filter.PIDOffsets, 8*i+4)
		}
		filter.Code = binary.NativeEndian.AppendUint16(filter.Code, ins.code)
		filter.Code = append(filter.Code, ins.jt, ins.jf)
		filter.Code = binary.NativeEndian.AppendUint32(filter.Code, ins.k)
	}
	return filter
}

// An interval is a run of numbers, from start to the next interval's start, that share
// a decision.
type interval struct {
	start    uint32
	decision decision
}

func intervals(policy map[uint32]decision, fallback decision) []interval {
	numbers := make([]uint32, 0, len(policy))
	for number := range policy {
		numbers = append(numbers, number)
	}
	slices.SortFunc(numbers, cmp.Compare)
	steps := []interval{{0, fallback}}
	add := func(start uint32, d decision) {
		last := &steps[len(steps)-1]
		switch {
		case last.start == start:
			last.decision = d
		case len(last.decision.checks) == 0 && len(d.checks) == 0 && last.decision.otherwise == d.otherwise:
		default:
			steps = append(steps, interval{start, d})
		}
	}
	for i, number := range numbers {
		add(number, policy[number])
		if i+1 == len(numbers) || numbers[i+1] != number+1 {
			add(number+1, fallback)
		}
	}
	add(x32Bit, refuse(ePERM))
	return steps
}

// tree writes a binary search over the steps. All jumps go forward and are relative,
// so that a part can be written before its place is known.
func tree(steps []interval) []instruction {
	if len(steps) == 1 {
		return leaf(steps[0].decision)
	}
	middle := len(steps) / 2
	left, right := tree(steps[:middle]), tree(steps[middle:])
	head := []instruction{{code: bpfAtOver, k: steps[middle].start, jt: uint8(len(left) & 0xff)}}
	if len(left) > 255 { // too far for a conditional jump
		head = []instruction{
			{code: bpfAtOver, k: steps[middle].start, jf: 1},
			{code: bpfJump, k: uint32(len(left))},
		}
	}
	return slices.Concat(head, left, right)
}

func leaf(d decision) []instruction {
	var program []instruction
	for _, c := range d.checks {
		program = append(program, instruction{code: bpfLoad, k: dataArgs + 8*uint32(c.arg) + lowHalf})
		if c.mask != ^uint32(0) {
			program = append(program, instruction{code: bpfAnd, k: c.mask})
		}
		for i, v := range c.values {
			// To the instruction after the return that follows the last value.
			program = append(program, instruction{code: bpfEqual, k: v, jt: uint8(len(c.values) - i)})
		}
		program = append(program, instruction{code: bpfReturn, k: d.otherwise})
	}
	if len(d.checks) > 0 {
		return append(program, instruction{code: bpfReturn, k: cmp.Or(d.holds, retAllow)})
	}
	return []instruction{{code: bpfReturn, k: d.otherwise}}
}

const (
	ePERM   = 1
	eNOTTY  = 25
	eNOLCK  = 37
	eNOSYS  = 38
	lowHalf = 0 // both supported architectures are little-endian
)
