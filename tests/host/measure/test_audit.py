"""The audit: both sides of each row, the parts that add up, the map of the heap."""

import re

import pytest

from host_tools import targets
from host_tools.errors import UserError
from host_tools.measure import audit, heapmap
from host_tools.measure.heapmap import FREE, HEAD, TAIL

UNIX = targets.get("unix")

# What mem_info(1) prints: eight lines, four of them free.
MAP = """\
12 copepod: log line
GC memory layout; from 0x7f00:
00000: hDhhBLh======T===
00800: hh..h=.MMhhhhhhhhh
       (4 lines all free)
06000: h...............................................................
@map end
[mem burst               ] free=
"""


@pytest.mark.parametrize("module", [row[0] for row in audit.STUDY])
def test_every_recommendation_is_measured_on_both_sides(module):
    rows = audit.recommendation(UNIX, module)
    assert len(rows) >= 2
    figures = [row.bytes for row in rows if row.kind != "fails"]
    assert all(figure >= 0 for figure in figures)
    if module in ("audit_patterns", "audit_message", "audit_logger", "audit_config"):
        ours = next(
            r.bytes for r in rows if r.label.startswith(("none", "fields", "parts", "one "))
        )
        assert figures[0] > ours, "the naive way costs more"
    if module == "audit_buffers":
        assert rows[-1].bytes == 0, "a kept window allocates nothing"
    if module == "audit_health":
        assert rows[0].bytes == 0
        assert rows[1].bytes > 1000


def test_components_add_up_to_what_the_gateway_leaves_behind():
    parts = audit.components(UNIX, 60, "mpy")
    assert {"update reading", "bus", "formatter", "request", "telemetry", "channel"} <= set(parts)
    assert 200 < sum(parts.values()) < 10_000
    assert all(value >= 0 for value in parts.values()), parts


def test_live_heap_by_component():
    parts = audit.kept(UNIX, "mpy")
    assert parts["code and names"] > 10_000
    assert parts["text buffer"] > 10_000
    assert sum(parts.values()) > 40_000


# --- the map


def test_map_is_read_from_a_console():
    found = heapmap.parse(MAP, "ready", 32)
    assert found.block_b == 16
    assert found.blocks[:8] == [HEAD] * 7 + [TAIL]
    line = 17 + 18 + 4 * 64 + 64
    assert len(found.blocks) == line
    assert found.as_dict()["largest_free_b"] == 4 * 64 * 16
    assert found.used == line - sum(found.runs())
    assert "B free in" in found.text()


def test_the_last_map_of_a_console_counts():
    assert heapmap.parse(MAP + MAP.replace("hDhhBL", "......"), "x", 32).used == 35 - 3 - 6 + 1


def test_no_map_is_an_error_for_people():
    with pytest.raises(UserError, match="no map"):
        heapmap.parse("nothing", "x", 32)


def test_fragmentation_is_what_lies_outside_the_largest_run():
    whole = heapmap.HeapMap("x", 16, [HEAD, FREE, FREE, FREE])
    torn = heapmap.HeapMap("x", 16, [FREE, HEAD, FREE, FREE, TAIL, FREE])
    assert whole.fragmentation == 0
    assert torn.fragmentation == 0.5
    assert heapmap.HeapMap("x", 16, [HEAD]).fragmentation == 0


def test_drawn_and_plotted(tmp_path):
    found = heapmap.parse(MAP, "ready", 32)
    text = heapmap.drawn(found).plain
    assert text.startswith("ready: ")
    assert re.search("[█▓▒░]", text)
    path = heapmap.plot([found, found], tmp_path / "map.png", "unix32")
    assert path.read_bytes().startswith(b"\x89PNG")
    again = heapmap.plot([found, found], tmp_path / "again.png", "unix32")
    assert again.read_bytes() == path.read_bytes()


def test_the_gateways_heap_before_and_after(monkeypatch):
    monkeypatch.setattr(audit, "MAP_MESSAGES", 60)
    before, after = audit.heap_maps(UNIX, "512k", "mpy")
    assert len(before.blocks) == len(after.blocks) > 10_000
    assert abs(after.used - before.used) * after.block_b < 4096
