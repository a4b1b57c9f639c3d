"""Public attributes that only our own classes mean are folded everywhere alike, the rest is left."""

from __future__ import annotations

from host_tools import build
from host_tools.attributes import fold_attributes

SOURCES = {
    "copepod/boat.py": (
        "import sea\nclass Boat:\n    depth_m = 0\n    def __init__(self, crew):\n"
        "        self.crew_size = crew\n        self.known = self.told = None\n"
        "        self.tide = sea.tide\n    def sails(self):\n        return self.crew_size\n"
        "class Raft(Boat):\n    def drifts(self):\n        return getattr(self, 'told')\n"
    ),
    "copepod/port.py": (
        "from copepod.boat import Boat\nclass Port:\n    def __init__(self):\n"
        "        self.boat_here = Boat(3)\n    def count_all(self):\n"
        "        return self.boat_here.crew_size + self.boat_here.sails()\n"
        "class InboundMessage:\n    draught = 0\n"
    ),
}


def test_what_is_ours_is_folded_and_runs_alike() -> None:
    folded, names = fold_attributes(SOURCES, ("boat.known",))
    text = "\n".join(folded.values())
    for name in ("crew_size", "sails", "depth_m", "drifts", "boat_here", "count_all"):
        assert name not in text
    for name in (
        "known",
        "told",
        "tide",
        "draught",
    ):  # a bench's, a string's, a module's, a user's
        assert name in text
    mapping = names["copepod/boat.py"]
    own = [new for old, new in mapping.items() if old.startswith("Boat.")]
    assert len(own) == len(set(own)) > 3
    scope: dict[str, object] = {}
    sea = "import sys, types\nsys.modules['sea'] = types.SimpleNamespace(tide=2)\n"
    code = folded["copepod/boat.py"] + folded["copepod/port.py"].replace(
        "from copepod.boat import Boat\n", ""
    )
    call = names["copepod/port.py"]["Port.count_all"]
    exec(f"{sea}{code}found = Port().{call}()", scope)
    assert scope["found"] == 6


def test_no_class_of_the_firmware_has_one_name_twice() -> None:
    _, names = fold_attributes(build.application(), build.users())
    for path, mapping in names.items():
        for cls in {old.partition(".")[0] for old in mapping}:
            new = [name for old, name in mapping.items() if old.partition(".")[0] == cls]
            assert len(new) == len(set(new)), (path, cls)
    assert not any("InboundMessage" in old for mapping in names.values() for old in mapping)
