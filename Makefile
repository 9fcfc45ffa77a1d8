# Two commands do everything on a Debian machine that has Swift: `make quickstart` and `make test`.

SWIFT ?= swift
PREFIX ?= /usr/local
NAME ?= quickstart
DEPS := $(abspath $(or $(GOALPOST_DEPS),.deps))
SNAKEMAKE = $(DEPS)/venv/bin/snakemake --snakefile pipelines/$(NAME)/Snakefile --directory . --cores all
SETTINGS := $(if $(SEED),seed=$(SEED)) $(if $(SEEDS),seeds=$(SEEDS)) $(if $(ROWS),rows=$(ROWS)) \
  $(if $(UPDATES),updates=$(UPDATES)) $(if $(ENVIRONMENT),environment=$(ENVIRONMENT))
CONFIG := $(if $(strip $(SETTINGS)),--config $(SETTINGS))

.PHONY: help setup setup-peers toolchain build test test-python torture fuzz quickstart pipeline benchmark lint docs pictures install clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## put libraries, models and Python in place (.deps/)
	@scripts/setup

setup-peers: ## the same, and the Python of other systems, for `make benchmark` and their conformance tests
	@scripts/setup peers

toolchain:
	@command -v $(SWIFT) >/dev/null || { \
	  echo "make: there is no '$(SWIFT)' here: install Swift 6.2 or later, or name it with SWIFT=/path/to/swift" >&2; exit 1; }

build: toolchain setup ## build the goalpost executable, optimised
	$(SWIFT) build -c release --product goalpost
	$(SWIFT) build -c release --product CTorchLibrary  # which goalpost loads when it needs libtorch

test: toolchain setup ## build everything and run all tests
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest
	@$(MAKE) --no-print-directory test-python

test-python: setup ## run the tests of the Python package beside the tool that was built
	cd Python && $(DEPS)/venv/bin/python -m unittest discover --start-directory tests --top-level-directory .

torture: toolchain setup ## kill collectors with SIGKILL at 60 random moments, and compare every byte
	$(SWIFT) build --build-tests
	GOALPOST_KILLS=60 $(SWIFT) test --skip-build --disable-xctest --filter KillTests

# In a folder of its own, as everything is compiled with the sanitizer.
fuzz: toolchain setup ## read 10,000 damaged foreign and hostile own files of each kind under the address sanitizer
	$(SWIFT) build --build-tests --sanitize address -Xswiftc -O --scratch-path .build-fuzz
	GOALPOST_FUZZ=10000 ASAN_OPTIONS=detect_leaks=0:malloc_context_size=4 \
	  $(SWIFT) test --skip-build --disable-xctest --sanitize address -Xswiftc -O \
	  --scratch-path .build-fuzz --filter "FormatFuzzTests|HostileValueTests"

quickstart: ## set up, build, then collect, verify, train, evaluate and film on FetchPush [SEED=1]
	@$(MAKE) --no-print-directory pipeline NAME=quickstart

# Verbs are idempotent and claim their shards, so a pipeline that was killed goes on without unlocking anything.
pipeline: $(if $(DRY),setup,build) ## run pipelines/NAME, or show what is to do: make pipeline NAME=smoke [TARGET=...] [SEED=1] [DRY=1]
	@test -f pipelines/$(NAME)/Snakefile || { \
	  echo "make: there is no pipelines/$(NAME); there are:" $(notdir $(patsubst %/Snakefile,%,$(wildcard pipelines/*/Snakefile))) >&2; exit 1; }
	$(if $(DRY),@scripts/show-plan $(SNAKEMAKE) $(CONFIG) -- $(or $(TARGET),all),\
	PATH="$$($(SWIFT) build -c release --show-bin-path):$$PATH" $(SNAKEMAKE) --rerun-incomplete --nolock --keep-going \
	  --quiet host reason rules $(CONFIG) -- $(or $(TARGET),all))

benchmark: build setup-peers ## time each claim beside the peer that one would pick instead
	Benchmarks/run

lint: toolchain ## check format, documentation comments, imports, folders and prose
	$(SWIFT) format lint --strict --recursive Package.swift $(wildcard Sources Tests Benchmarks)
	scripts/check-imports
	scripts/check-rooms
	scripts/check-prose

docs: toolchain setup ## make the reference pages of the library products, in .build/documentation
	$(SWIFT) build --build-tests
	scripts/document

pictures: build ## make README's film, sheet of worlds and terminal anew, in Documentation/pictures
	PATH="$$($(SWIFT) build -c release --show-bin-path):$$PATH" $(DEPS)/venv/bin/python scripts/pictures

# $ORIGIN follows the link, so the resource bundles are found beside the executable.
install: build ## install goalpost, its manual pages and completions in PREFIX (/usr/local)
	@folder="$$($(SWIFT) build -c release --show-bin-path)"; set -e; \
	rm -rf "$(PREFIX)/lib/goalpost"; \
	mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib/goalpost"; \
	cp "$$folder/goalpost" "$$folder/libCTorchLibrary.so" "$(PREFIX)/lib/goalpost/"; \
	for bundle in "$$folder"/*.resources; do if [ -e "$$bundle" ]; then cp -R "$$bundle" "$(PREFIX)/lib/goalpost/"; fi; done; \
	ln -sfn ../lib/goalpost/goalpost "$(PREFIX)/bin/goalpost"; \
	"$(PREFIX)/bin/goalpost" --experimental-dump-help | scripts/manual "$(PREFIX)/share/man/man1"; \
	for place in bash-completion/completions/goalpost zsh/site-functions/_goalpost \
	  fish/vendor_completions.d/goalpost.fish; do \
	  mkdir -p "$(PREFIX)/share/$${place%/*}"; shell="$${place%%[-/]*}"; \
	  "$(PREFIX)/bin/goalpost" --generate-completion-script "$$shell" > "$(PREFIX)/share/$$place"; \
	done; \
	echo "installed $(PREFIX)/bin/goalpost; it uses the libraries and models in $(DEPS), so keep that folder"

clean: ## remove what was built; .deps/, datasets and runs stay
	rm -rf .build Benchmarks/.build
