# SPDX-License-Identifier: BSD-3-Clause
# Thin: every verb calls the tool that knows. Each target does what it needs first.
SHELL := /bin/sh
export PATH := $(CURDIR)/build/toolchain/bin:$(PATH)
NICE ?=
# Builds what it runs.
MESON_TEST = $(NICE) meson test --print-errorlogs

.DEFAULT_GOAL := help
.PHONY: help setup build build-c build-ts configure-asan configure-tsan image check format test test-unit test-threads test-matrix test-report test-e2e demo bench bench-model bench-instructions soak soak-lab test-slow-worker fuzz golden clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install what is missing (Debian packages, QEMU, Node.js, npm packages)
	@tools/setup.sh

build: build-c build-ts ## compile everything

build-c: setup
	@[ -f build/c/build.ninja ] || meson setup build/c
	@$(NICE) ninja -C build/c product

build-ts: setup
	@npm run --silent gen --workspaces --if-present
	@$(NICE) npx tsc -b

configure-asan: setup
	@[ -f build/asan/build.ninja ] || meson setup build/asan -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false

# gcc says that it does not follow fences; here they order nothing but atomics, which need no such help.
configure-tsan: setup
	@[ -f build/tsan/build.ninja ] || meson setup build/tsan -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false -Dswitch=disabled -Dc_args=-Wno-tsan

image: build-c ## build the guest image and the payload that carries the stack into it
	@images/guest/build.sh
	@images/guest/payload.sh

check: build ## format, lint, layers, tree hygiene, links of the docs, generated pages
	@node tools/dist/check.js
	@stack/testing/conformance.sh check

format: setup ## rewrite the sources in the project's format
	@git ls-files -z -- '*.c' '*.h' | xargs -0 -r clang-format -i
	@npx biome check --write .

test: test-unit test-threads test-matrix test-report test-e2e ## everything: unit tests, threads, the two-host matrix, reports in a browser, the scenarios between machines

test-unit: build configure-asan ## unit tests: C under ASan and UBSan, TypeScript
	@$(MESON_TEST) -C build/asan --no-suite matrix
	@rm -rf build/test/error-codes
	@npx vitest run --reporter=default --reporter=junit --outputFile.junit=$(CURDIR)/build/test/unit.xml
	@node tools/dist/error-codes.js

test-threads: configure-tsan ## what runs in threads, under ThreadSanitizer
	@$(MESON_TEST) -C build/tsan --timeout-multiplier 4 $(addprefix --suite=,threads api worker steer netif inet)

test-matrix: build ## two hosts on the virtual clock: loss, delay, reordering, duplication; 1,000 seeds
	@$(MESON_TEST) -C build/c --suite matrix --timeout-multiplier 10

test-report: build-ts ## reports of experiments, opened in a browser (VNFLAB_BROWSER=1 make setup installs it); pictures in build/test/report
	@npx vitest run --config tests/report/vitest.config.ts --reporter=default --reporter=junit --outputFile.junit=$(CURDIR)/build/test/report.xml

test-e2e: build image ## scenarios between machines: processes, VMs, the Linux kernel
	@npx vitest run --config tests/vitest.config.ts --reporter=default --reporter=junit --outputFile.junit=$(CURDIR)/build/test/e2e.xml

demo: build image ## boot two VMs joined by vports, pass TCP and UDP between them, show the figures, clean up
	@npx vnflab demo

bench: build ## our stack against the kernel, row by row, as root (ROWS="rpc64-100conn short-conn" for some)
	@node stack/bench/dist/main.js $(ROWS)

bench-model: build-ts ## a model of throughput against cores, from what `make bench` measured about distribution
	@node stack/bench/dist/model-main.js

bench-instructions: build ## instructions a request, a short connection, a segment take (callgrind); UPDATE=1 writes the golden file
	@node tools/dist/instructions.js build/c $(if $(UPDATE),update)

test-slow-worker: build-c ## what a worker's slow application costs the others (measures; nothing else should run)
	@build/c/stack/testing/slow_worker

soak: build-c ## connections without end in all designs (SECONDS each, default 600), all at once
	@stack/testing/designs/soak.sh $(or $(SECONDS),600)

soak-lab: build image ## a lab's life: 50 rounds in which a random process dies, and 3 with VMs (ROUNDS, VM_ROUNDS, SEED)
	@SURVIVES_ROUNDS=$(or $(ROUNDS),50) SURVIVES_VM_ROUNDS=$(or $(VM_ROUNDS),3) SURVIVES_SEED=$(or $(SEED),1) \
		npx vitest run --config tests/vitest.config.ts --testTimeout 3600000 scenarios/08-survives

fuzz: setup ## run the fuzzer of every wire parser (SECONDS each, default 60)
	@stack/fuzz/run.sh $(or $(SECONDS),60)

golden: build ## write the golden files anew; read the diff before committing it
	@stack/testing/golden.sh
	@npx vitest run --update

clean: ## remove what was built (the guest images stay: delete build/ to lose them too)
	@rm -rf build/c build/asan build/tsan build/fuzz build/test
	@npx tsc -b --clean
