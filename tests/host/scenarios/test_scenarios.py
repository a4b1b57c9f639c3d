"""Scenario files are read strictly, and the gateway passes every one of them.

`make test` runs them on the wheel; `make test TARGETS=all` on every interpreter. Those in SLOW wait
on purpose (back-off, deadlines) and run only then, on the wheel.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from host_tools import targets
from host_tools.errors import UserError
from host_tools.scenarios import engine, scenario
from host_tools.scenarios.live import fault_names

SLOW = {"fault-409", "fault-stall", "burst"}
AT_A_TIME = 3
# ten thousand messages (`copepod live --scenario soak`), and a network that can be cut
NEVER = {"soak", "outage", "reconnects"}
# On the other interpreters: what their word size, heap or clock could make a difference to.
EVERYWHERE = ("live", "bot", "long", "big-ids", "big-updates-late", "plain-http", "fault-chunks")
OTHERS = ("unix32", "unix64", "riscv64", "rv32", "esp32")
# On these also what their own TCP/IP, TLS and file system could get wrong.
WITH_OWN_NETWORK = ("rv32", "esp32")
BARE_METAL = (
    *("fault-429", "fault-big", "fault-bytes", "fault-refuse", "fault-reset", "fault-truncate"),
    *("fault-close-after", "updates", "parallel"),
    *("fault-cert-ca", "fault-cert-expired", "fault-cert-future", "fault-cert-host", "kill"),
)
# The bare machine runs the application from files, as a stock board does, and these frozen as well.
FROZEN_TOO = ("live", "bot", "long", "big-updates-late")
# What the issue names, each must have its scenario.
FAULTS = "429 409 401 5xx reset truncate stall bytes chunks close-after duplicate big malformed"


def wanted():
    return os.environ.get("TARGETS", "unix").replace(",", " ").split()


def chosen():
    """(target, scenario) for this run."""
    names = [n for n in scenario.names() if n not in NEVER]
    everything = "all" in wanted()
    if everything or "unix" in wanted():
        yield from (("unix", name) for name in names if everything or name not in SLOW)
    for target in OTHERS:
        if everything or target in wanted():
            if target == "esp32" and not (os.environ.get("QEMU") and os.environ.get("FIRMWARE")):
                continue  # docs/boards.md says what it needs
            also = BARE_METAL if target in WITH_OWN_NETWORK else ()
            yield from ((target, name) for name in (*EVERYWHERE, *also))
            if target == "rv32":
                yield from (("rv32-frozen", name) for name in FROZEN_TOO)


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """Runs the scenarios that were selected, a few at a time: most of their time is waiting."""
    tmp_path_factory.getbasetemp()  # made here, since threads would race to make it

    def run(target, name):
        plan = scenario.load(name)
        place, _, app = target.partition("-")
        plan.device.app = app or plan.device.app
        folder = tmp_path_factory.mktemp(f"{target}-{name}")
        return plan, engine.run(plan, targets.get(place), folder)

    calls = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [
        (call.params["target"], call.params["name"])
        for call in calls
        if call is not None and {"target", "name"} == set(call.params)
    ]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {pair: pool.submit(run, *pair) for pair in wanted if pair in set(chosen())}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("target", "name"), list(chosen()))
def test_scenario(target, name, results):
    plan, result = results[target, name].result()
    told = "\n".join(f"{row.label}: {row.value}, expected {row.limit}" for row in result.failures)
    console = "\n".join(result.console.splitlines()[-25:])
    assert result.ok, f"{told}\n{console}"
    if plan.messages.count and plan.expect.exit is None:
        assert result.tally.answered >= plan.messages.count - plan.expect.lost
    hits = [fault for fault in result.figures["faults"] if not fault["hits"]]
    assert not hits, "a fault that never struck proves nothing"


def test_every_fault_has_a_scenario():
    assert set(FAULTS.split()) <= set(fault_names())
    assert {f"cert-{kind}" for kind in ("host", "ca", "expired", "future")} <= set(fault_names())


# --- reading the files


@pytest.mark.parametrize("name", scenario.names())
def test_every_file_is_right_and_says_what_it_is(name):
    plan = scenario.load(name)
    assert plan.about
    assert plan.name == name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("about = ", "Invalid value"),
        ("colour = 'red'", "colour: unknown key, expected one of name, about"),
        ("messages = 5", "messages: expected a table"),
        ("[messages]\ncolour = 1", r"messages\.colour: unknown key"),
        ("[messages]\ncount = 'ten'", r"messages\.count: 'ten' is no int"),
        ("[messages]\nscripts = ['klingon']", "messages.scripts: 'klingon'"),
        ("[messages]\nlengths = [5]", "messages.lengths: 5, expected 16 to 4096"),
        ("[messages]\nlengths = []", "can't be empty"),
        ("faults = 1", r"expected \[\[faults\]\]"),
        ("[[faults]]\nkind = 'quake'", "faults.kind: 'quake'"),
        ("[[faults]]\ncount = 1", "kind"),
        ("[kills]\nlongest_s = 'x'", "is no float"),
    ],
)
def test_a_wrong_file_is_said(tmp_path, text, complaint):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint) as caught:
        scenario.load(str(path))
    assert str(path) in str(caught.value)


def test_a_missing_file_names_those_there_are():
    with pytest.raises(UserError, match="no scenario 'nothing': there are .*live"):
        scenario.load("nothing")


def test_config_is_laid_over():
    class Sim:
        token = "1:x"
        tls = True

        def url_for(self, host):
            return f"https://{host}:1"

    extra = {"telemetry": {"collect": False}, "bus": {"capacity": 4}}
    config = engine.gateway_config(Sim(), targets.get("unix"), extra)
    assert config["telemetry"] == {"interval_s": 1, "collect": False}
    assert config["channels"]["telegram"]["base_url"] == "https://localhost:1"
    assert config["bus"] == {"capacity": 4}
    assert Path(config["tls"]["ca"]).name == "roots.der"
