# Needs Node.js (20 or newer), npm and make; everything else comes from `npm ci`, Node.js 24 included.

NODE := node_modules/.bin/node
BIOME := node_modules/@biomejs/biome/bin/biome
TSC := node_modules/typescript/bin/tsc
# The installed tree's own record: npm writes it last.
INSTALLED := node_modules/.package-lock.json
TEST_LEVELS := unit integration process interop oracle fault fuzz
# What checks the packed package, with packages of its own.
PACKAGE_TOOLS := tools/package/node_modules/.package-lock.json
# More flags of Node's test runner, and of `sluice serve`.
TEST_FLAGS ?=
ARGS ?=

# Two test files at a time: most start threads or processes of their own.
RUN_TESTS = $(NODE) --conditions=sluice-source --test --test-concurrency=2 $(TEST_FLAGS)

# Node 24 comes first also for what is started by the things that are started here.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup run test test-docker check check-format check-types check-lock check-gen check-docs fix gen docs soak torture roll fuzz bench bench-client build package clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-20s%s\n' "$$name" "$$what"; done

setup: $(INSTALLED)
	@tools/require-node.sh $(NODE)

$(INSTALLED): package-lock.json
	@tools/install.sh
	@touch $@

run: setup ## serves the ledger; ARGS='--port 9190' passes flags through
	@exec $(NODE) bin/sluice.js serve $(ARGS)

# The hostile ones measure what a client beside them notices: so nothing else runs then.
test: setup ## runs the tests
	@status=0; \
	$(RUN_TESTS) --test-timeout=120000 $(foreach level,$(TEST_LEVELS),'test/$(level)/**/*.test.ts') || status=$$?; \
	$(RUN_TESTS) --test-timeout=120000 --test-concurrency=1 'test/hostile/**/*.test.ts' || status=$$?; \
	exit $$status

test-docker: setup ## runs the tests of image and compose file; they need a Docker engine
	@$(RUN_TESTS) --test-timeout=600000 'test/docker/**/*.test.ts'

check: check-format check-types check-lock check-gen check-docs ## format, lint, layers, types; generated files are current

check-format: setup
	@$(NODE) $(BIOME) check --error-on-warnings .

check-types: setup
	@$(NODE) $(TSC) -p tsconfig.json
	@$(NODE) $(TSC) -p tsconfig.page.json
	@$(NODE) $(TSC) -p examples/tsconfig.json
	@$(NODE) $(TSC) -p tsconfig.templates.json

check-lock: setup
	@$(NODE) tools/check-lock.ts

check-gen:
	@tools/generate.sh --check

check-docs: setup
	@$(NODE) tools/options-table.ts --check
	@$(NODE) --conditions=sluice-source tools/clients-page.ts --check
	@$(NODE) tools/api-reference.ts --check

fix: setup ## formats, and repairs what the linter can
	@$(NODE) $(BIOME) check --write .

gen: ## regenerates gen/ and the tests' generated code with the Thrift compiler
	@tools/generate.sh

docs: setup ## writes what the docs have from elsewhere: options, recipes, cells, docs/api
	@$(NODE) tools/options-table.ts
	@$(NODE) --conditions=sluice-source tools/clients-page.ts
	@$(NODE) tools/api-reference.ts

soak: setup ## drains servers under random clients, long; ARGS='--drains 1000' (see test/oracle/soak.ts)
	@exec $(NODE) --conditions=sluice-source test/oracle/soak.ts $(ARGS)

torture: setup ## kills servers and databases under load, long; ARGS='--variant sigkill --rounds 200'
	@exec $(NODE) --conditions=sluice-source test/fault/torture.ts $(ARGS)

roll: setup ## restarts, kills and freezes replicas under the client, long; ARGS='--variant restart --seconds 120'
	@exec $(NODE) --conditions=sluice-source test/fault/roll.ts $(ARGS)

fuzz: setup ## sends mutated messages, long; ARGS='--seed 1 --messages 10000000' (see test/fuzz/fuzz.ts)
	@exec $(NODE) --conditions=sluice-source test/fuzz/fuzz.ts $(ARGS)

bench: setup ## measures beside other Thrift servers; ARGS='--quick' is short
	@exec $(NODE) --conditions=sluice-source bench/run.ts $(ARGS)

bench-client: setup ## measures the client beside the npm package's; ARGS='--only sluice --calls 10000000' shows its memory
	@exec $(NODE) --conditions=sluice-source bench/client.ts $(ARGS)

build: setup ## compiles src/ to dist/, with types and source maps
	@rm -rf dist
	@$(NODE) $(TSC) -p tsconfig.build.json
	@cp -R src/admin/page dist/admin/page
	@rm dist/admin/page/*.d.ts
	@$(NODE) tools/build-entries.ts

package: setup $(PACKAGE_TOOLS) ## packs build/package/thrift-sluice-….tgz, checks it and tries it out, installed elsewhere
	@rm -rf build/package
	@mkdir -p build/package
	@npm pack --silent --pack-destination build/package
	@$(NODE) tools/package/check.ts build/package/*.tgz
	@SLUICE_TARBALL=$$(echo $(CURDIR)/build/package/*.tgz) $(RUN_TESTS) --test-timeout=300000 'test/package/**/*.test.ts'

$(PACKAGE_TOOLS): tools/package/package-lock.json
	@npm ci --prefix tools/package --no-update-notifier --no-progress >/dev/null
	@touch $@

clean: ## removes what was built and installed; data/ stays
	@rm -rf dist node_modules tools/package/node_modules build bench/build bench/out
