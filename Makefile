# What a person or CI does with this project. `make help` lists it.
#
# Everything runs in network namespaces of its own; the machine's own network is never touched.

CARGO ?= cargo
# Tests, demo and bench make namespaces, which takes root.
SUDO  := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# For what is built, tested and measured: asked for once, by those who build only.
TARGET = $(eval TARGET := $(shell toolchain/pick-target))$(TARGET)

.PHONY: help build install image demo test lint bench packages clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

packages: ## Install the Debian packages that demo, tests and benches need, where absent
	@SUDO="$(SUDO)" lab/install-packages

build: ## Build both programs, netctl and netctl-cni
	$(CARGO) build --release --locked --target $(TARGET) -p netctl

install: build ## Install them: netctl with manual and completions in /usr/local, the plugins in /opt/cni/bin
	$(SUDO) target/$(TARGET)/release/netctl install

image: packages build ## Make an image of Debian's busybox-static: target/images/busybox.tar
	$(SUDO) lab/make-image target/$(TARGET)/release/netctl target/images/busybox.tar
	@echo "netctl load -i target/images/busybox.tar"

demo: packages build ## Tour: a conflist, namespaces, ports, networks, containers in every mode; nothing left
	$(CARGO) build --release --locked --target $(TARGET) -q -p lab
	$(CARGO) run --release --locked --target $(TARGET) -q -p demo

lint: ## What CI denies: formatting and clippy warnings
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --target $(TARGET) -- -D warnings

test: packages lint ## All tests
	$(CARGO) build --workspace --locked --target $(TARGET)
	@rm -f target/skips
	LAB_SKIPS=$(CURDIR)/target/skips $(CARGO) test --workspace --locked --target $(TARGET)
	@if [ -s target/skips ]; then echo "skipped:"; sort target/skips | uniq -c; else echo "nothing skipped"; fi

bench: packages build ## Ours against Debian's reference plugins and netavark, side by side
	$(CARGO) build --release --locked --target $(TARGET) -p bench
	$(CARGO) run --release --locked --target $(TARGET) -q -p bench --bin bench

clean: ## Remove what was built
	$(CARGO) clean
