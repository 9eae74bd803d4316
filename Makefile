# `make` explains the targets. Every step of .ci/run is one of them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BUF := go tool -modfile=tools/buf/go.mod buf
# The protocol as it was generated from last: a change must leave both ends of that able to
# speak with those of now.
WIRE := proto/wire.binpb
GOLANGCI_LINT := go tool -modfile=tools/golangci/go.mod golangci-lint

# Where the module has to build, besides here.
CROSS := darwin/amd64 darwin/arm64 windows/amd64 linux/amd64 linux/arm64

.PHONY: help
help: ## print what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: ci
ci: ## everything that has to pass before a change goes in
	.ci/run

.PHONY: build
build: ## build the codemode command
	CGO_ENABLED=0 go build ./cmd/codemode

.PHONY: test
test: ## run every test
	go test ./...

.PHONY: callback
callback: ## run the tests of tools again, with calls in callback mode
	CODEMODE_TEST_MODE=callback go test -skip='^(TestAllHolds|TestAttacks|TestBombs|TestREADMECommands)' . ./sidecar

.PHONY: kubernetes
kubernetes: ## hold the manifests in deploy/kubernetes to Kubernetes' own libraries
	cd deploy/kubernetes && go vet ./... && go test ./... && go mod tidy -diff

.PHONY: peers
peers: ## measure codemode beside what one could use in its place; see docs/benchmarks.md
	internal/bench/peers/run

.PHONY: check-peers
check-peers: ## fail if what measures the peers does not build
	cd internal/bench/peers && go vet ./... && go mod tidy -diff

.PHONY: base-image
base-image: ## make the images that tests in containers start from, if there are none
	.ci/base-image

.PHONY: vm-kernel
vm-kernel: ## get a kernel for the tests' virtual machine; prints what to put into CODEMODE_TEST_KERNEL
	@.ci/vm-kernel

.PHONY: race
race: ## run all but the long tests under the race detector, in this home only
	go test -race -short -timeout=25m -skip='^TestAllHolds|^TestDocker' ./...

.PHONY: format
format: ## rewrite the Go files as gofmt has them
	gofmt -w -s .

.PHONY: check-format
check-format: ## fail if a Go file is not as gofmt has it
	@unformatted=$$(gofmt -l -s .); \
	if [[ -n $$unformatted ]]; then printf 'not formatted, run make format:\n%s\n' "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## run go vet
	go vet ./...

.PHONY: lint
lint: ## run golangci-lint, lint the protocol and fail if it is no longer what others speak
	$(GOLANGCI_LINT) run ./...
	$(BUF) lint
	$(BUF) breaking --against $(WIRE)

.PHONY: tidy
tidy: ## bring go.mod and go.sum up to date
	go mod tidy

.PHONY: check-tidy
check-tidy: ## fail if go.mod or go.sum are not up to date
	go mod tidy -diff

.PHONY: generate
generate: ## generate internal/gen from proto, and record it; fail if the wire changed incompatibly
	$(BUF) breaking --against $(WIRE)
	$(BUF) generate
	$(BUF) build --exclude-source-info --output $(WIRE)

.PHONY: check-generate
check-generate: ## fail if internal/gen or the record of the wire is not what proto gives
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(BUF) generate --output "$$fresh"; \
	$(BUF) build --exclude-source-info --output "$$fresh/wire.binpb"; \
	cmp "$$fresh/wire.binpb" $(WIRE) || { echo '$(WIRE) is stale, run make generate'; exit 1; }; \
	diff -r internal/gen "$$fresh/internal/gen" || { echo 'internal/gen is stale, run make generate'; exit 1; }

.PHONY: cross
cross: ## build for every platform that is supported, and look at its tests
	@for platform in $(CROSS); do \
		echo "$$platform"; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go build ./...; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go vet ./...; \
	done
