# Copepod. `make` alone lists the targets; every target installs what it needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COPEPOD := $(BIN)/copepod
# Two sets of packages: what a bot's author needs (requirements.lock), and what the tests, the linters and the report
# of this repository need as well (requirements-dev.lock). Python compiles what it imports, pip the whole of it.
RUNNING := $(VENV)/.stamp
DEVELOPING := $(VENV)/.stamp-dev
PIP_INSTALL := $(BIN)/pip install -q --disable-pip-version-check --no-compile
TARGETS ?= unix
export TELEGRAM_TOKEN ALLOW BASE_URL WIFI_SSID WIFI_PASSWORD
export MODEL MODEL_NAME API_KEY
export BOT BOARD BOARD_HOST PORT BAUD FIRMWARE CONFIG ADDRESS RECORD QEMU

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(RUNNING): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { test "$$(id -u)" = 0 && apt-get install -y -qq python3-venv; } || { echo "python3-venv is missing: sudo apt install python3-venv"; exit 1; }
	@test -x $(BIN)/pip || { echo "Setting up $(VENV) (half a minute, once)"; $(PYTHON) -m venv $(VENV); }
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPING): requirements-dev.lock $(RUNNING)
	@test -e $@ || echo "Adding what tests and linters need (half a minute, once)"
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: venv
venv: $(RUNNING) ## set up .venv from requirements.lock

.PHONY: dev
dev: $(DEVELOPING) ## add what the tests and the linters need, from requirements-dev.lock

.PHONY: build
build: $(RUNNING) ## compile the firmware into build/mpy, what a stock board gets
	@$(COPEPOD) build

.PHONY: run
run: build ## talk to the gateway here (BOT=bot.py, MODEL=mock); TELEGRAM_TOKEN=… is your own bot
	@$(COPEPOD) run $(if $(TARGET),--target $(TARGET)) $(ARGS)

.PHONY: firmware
firmware: $(RUNNING) ## build a bare-metal board's firmware, with its sizes (BOARD=VIRT_RV32)
	@$(COPEPOD) firmware $(if $(BOARD),$(BOARD))

.PHONY: machine
machine: $(RUNNING) ## run the bare-metal RV32 machine with its console on a socket, for mpremote
	@$(COPEPOD) machine $(ARGS)

.PHONY: live
live: build ## the live gateway test: 50 messages, verdict (ARGS="--messages 1000")
	@$(COPEPOD) live $(if $(TARGET),--target $(TARGET)) $(ARGS)

.PHONY: bench
bench: build ## membench: memory phase by phase, verdict (TARGET=unix32 ARGS="--burst 1000")
	@$(COPEPOD) bench $(if $(TARGET),--target $(TARGET)) $(ARGS)

.PHONY: audit
audit: build $(DEVELOPING) ## bytes allocated per message by component, and a map of the heap
	@$(COPEPOD) audit $(if $(TARGET),--target $(TARGET)) $(ARGS)

.PHONY: report
report: $(DEVELOPING) ## write results/*.json into README.md and docs/, with plots
	@$(COPEPOD) report $(ARGS)

.PHONY: new
new: $(RUNNING) ## a folder with a bot of your own, a test and a workflow (NAME=my-bot)
	@$(COPEPOD) new "$(NAME)" $(ARGS)

.PHONY: boards
boards: $(RUNNING) ## list the boards, what each costs and holds (BOARD=… says more)
	@$(COPEPOD) boards $(BOARD) $(ARGS)

.PHONY: provision
provision: $(RUNNING) ## ask for Wi-Fi, token, who may talk to it, a model: config.json
	@$(COPEPOD) provision $(ARGS)

.PHONY: flash
flash: $(RUNNING) ## firmware, app and config onto a board ([BOARD=…] [PORT=…] [FIRMWARE=…])
	@$(COPEPOD) flash $(ARGS)

.PHONY: image
image: $(RUNNING) ## the same as one file, with an ESP Web Tools manifest (BOARD=…)
	@$(COPEPOD) image $(ARGS)

.PHONY: deploy
deploy: $(RUNNING) ## send what has changed to a board that runs ([PORT=…])
	@$(COPEPOD) deploy $(ARGS)

.PHONY: monitor
monitor: $(if $(findstring --plot,$(ARGS)),$(DEVELOPING),$(RUNNING)) ## a board's memory, live ([PORT=…] ARGS="--record run.jsonl")
	@$(COPEPOD) monitor $(ARGS)

.PHONY: doctor
doctor: $(RUNNING) ## check this machine, and with PORT=… the board
	@$(COPEPOD) doctor $(ARGS)

# TARGETS where it was given, else nothing (the toolchain's own default: every interpreter)
GIVEN_TARGETS = $(if $(filter file,$(origin TARGETS)),,$(TARGETS))

.PHONY: toolchain
toolchain: $(RUNNING) ## find or build the interpreters, with and without the app (TARGETS=…)
	@$(COPEPOD) toolchain build $(GIVEN_TARGETS)

.PHONY: test
ifdef BOT
test: build
	@here="$$PWD" && cd "$$(dirname "$$BOT")" && "$$here/$(BIN)/pytest" -q --bot "$$BOT" $(ARGS)
else
test: build stubs $(DEVELOPING) ## run every test (TARGETS=all: on every interpreter); with BOT=… those beside it
	@$(COPEPOD) toolchain build $(or $(filter-out esp32,$(TARGETS)),unix)
	@$(if $(filter rv32 all,$(TARGETS)),$(COPEPOD) firmware)
	@COPEPOD_TARGETS="$(TARGETS)" $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)
endif

firmware/typings/.stamp: requirements-stubs.lock $(RUNNING)
	@$(PIP_INSTALL) --target firmware/typings --upgrade --no-user --no-deps --require-hashes -r requirements-stubs.lock
	@rm -f firmware/typings/__builtins__.pyi # firmware/__builtins__.pyi is ours
	@touch $@

.PHONY: stubs
stubs: firmware/typings/.stamp ## fetch MicroPython's stubs for the type check

.PHONY: lint
lint: stubs $(DEVELOPING) ## ruff and the type checks of firmware and host tools
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright -p firmware
	@$(BIN)/basedpyright

PIN := $(BIN)/pip-compile -q --build-deps-for editable --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-header

.PHONY: lock
lock: $(DEVELOPING) ## pin every dependency anew into requirements.lock and requirements-dev.lock
	$(PIN) -o requirements.lock pyproject.toml
	$(PIN) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

.PHONY: fuzz
fuzz: $(DEVELOPING) ## mutated updates, answers, configs; random documents for SECONDS (60)
	@$(COPEPOD) fuzz --seed $(or $(SEED),0)
	@$(COPEPOD) fuzz-format --count 100000 --seconds $(or $(SECONDS),60) --seed $(or $(SEED),0)
