"""The formatter against TDLib, against the specifications' examples, against a reference, against chance."""

import ast
import html
import json
import random
import re
import subprocess
import sys
import time
from html.entities import codepoint2name, html5

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from host_tools.errors import UserError
from host_tools.formatting import check, corpus, device, fuzz, golden, prefixes, reference
from host_tools.formatting import command as format_tool
from host_tools.simulator.judge import judge

SPECS = ("commonmark-0.31.2.json", "gfm-0.29.json")

# Where the messages differ from what the reference says, and why (docs/formatting.md has the list).
DIFFERENCES = {
    ("commonmark-0.31.2.json", "25"): "names of references that the table does not have",
    ("commonmark-0.31.2.json", "346"): "a host that has a backtick is no link",
    ("commonmark-0.31.2.json", "600"): "a host without a name is no link",
    ("gfm-0.29.json", "321"): "names of references that the table does not have",
    ("gfm-0.29.json", "356"): "a host that has a backtick is no link",
    ("gfm-0.29.json", "608"): "a host without a name is no link",
    ("answers-untidy.md", "numbers-and-ranges"): "one tilde inside a word is a range",
}


def real_links(markdown):
    """The example with its relative destinations made real ones, so that links have to be right."""
    return re.sub(r"(?<=[(<:\[ ])/(?=ur[il]|bar|my)", "http://h.co/", markdown)


@pytest.mark.parametrize("file", SPECS)
def test_examples_are_taken_by_telegram_and_read_as_the_reference_does(file):
    different = []
    examples = corpus.examples(file)
    for example in examples:
        for markdown in {example.markdown, real_links(example.markdown)}:
            messages = device.pieces(markdown)
            assert check.faults(messages) == [], example
            if reference.actual(messages) != reference.expected(markdown):
                different.append((file, example.name))
    assert set(different) <= set(DIFFERENCES), set(different) - set(DIFFERENCES)
    inline = [e for e in examples if e.section in corpus.INLINE_SECTIONS]
    agree = sum((file, e.name) not in different for e in inline)
    assert len(inline) > 300
    assert agree >= 0.97 * len(inline)


@pytest.mark.parametrize(
    "label",
    ["tối ưu", "größe", "ž łódź", "τέλος", "ёж їжак ѓ", "հայերեն", "naïve ÿ", "ångström"],
)
def test_labels_are_the_same_in_capitals(label):
    for used, defined in ((label, label.upper()), (label.upper(), label)):
        messages = device.pieces(f"[{used}]\n\n[{defined}]: http://h.co")
        assert messages == [f'<a href="http://h.co">{used}</a>']
    assert device.pieces(f"[{label}]\n\n[{label}s]: http://h.co") == [f"[{label}]"]


def test_answers_are_taken_by_telegram_and_read_as_the_reference_does():
    answers = corpus.answers()
    assert len(corpus.written()) >= 200
    assert len({(example.origin, example.name) for example in answers}) == len(answers)
    for example in answers:
        messages = device.pieces(example.markdown)
        assert check.faults(messages) == [], example.name
        if len(messages) > 1:
            assert check.lost(example.markdown, messages) is None, example.name
        elif (example.origin, example.name) not in DIFFERENCES:
            assert reference.actual(messages) == reference.expected(example.markdown), example.name


def test_prefixes_of_long_answers():
    for text in corpus.long_answers():
        for end in range(0, len(text), 1499):
            assert check.faults(device.pieces(text[:end])) == [], end


def test_every_prefix_of_short_answers():
    for example in corpus.written()[1:5]:
        assert prefixes.examine(example.markdown).faults == [], example.name


def test_every_prefix_of_a_long_answer():
    texts = [example.markdown for example in corpus.written()]
    longest = max((text for text in texts if len(text) < 2500), key=len)
    found = prefixes.examine(longest)
    assert found.prefixes == len(longest) + 1
    assert found.messages > 0.5 * len(longest)
    assert found.faults == []


def test_every_prefix_around_the_end_of_a_message():
    text = max((example.markdown for example in corpus.written()), key=len)
    first = next(n for n in range(4000, len(text)) if len(device.pieces(text[:n])) > 1) - 60
    found = prefixes.examine(text[: first + 160], first=first)
    assert found.prefixes == 161
    assert found.faults == []


def test_every_prefix_under_micropython_is_the_same():
    text = corpus.written()[0].markdown[:600] + "\n\n日本 **👩‍💻** `é`"
    theirs = prefixes.formatted_by(format_tool._interpreter(), text)
    assert list(theirs) == list(prefixes.formatted(text))
    assert prefixes.examine(text[:50], format_tool._interpreter()).faults == []


def test_a_faulty_prefix_is_told(monkeypatch):
    made = {"": [], "a": ["a"], "ab": ["a", "<b>"], "abc": ["a", "b"]}
    monkeypatch.setattr(device, "pieces", made.__getitem__)
    found = prefixes.examine("abc")
    assert (found.prefixes, found.messages) == (4, 3)
    assert ["2 characters" in fault for fault in found.faults] == [True, True, False]
    assert "is refused" in found.faults[0]
    assert "letters are others" in found.faults[1]
    assert "letters are others" in found.faults[2]


def test_nothing_is_lost_where_a_text_is_cut():
    for text in corpus.long_answers():
        text = re.sub(r"\|\|", "", text)
        for buffer_b in (0, 4200, 1024):
            messages = device.pieces(text, buffer_b=buffer_b)
            assert check.faults(messages) == []
            if buffer_b == 0:
                assert check.lost(text, messages) is None


def test_fed_in_any_way_it_is_the_same():
    for text in corpus.long_answers():
        whole = device.pieces(text)
        for chunk in (1, 13, 4096):
            assert device.pieces(text, chunk=chunk) == whole


def test_plain_is_the_markdown():
    for text in corpus.long_answers():
        assert "".join(device.pieces(text, plain=True)) == text


def test_random_documents():
    for seed in range(600):
        markdown = corpus.document(seed)
        messages = device.pieces(markdown)
        assert check.faults(messages) == [], seed
        assert device.pieces(markdown, again=True) == messages, seed


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(corpus.TOKENS) | st.text(max_size=8), max_size=40), st.integers(0, 9)
)
def test_hypothesis_documents(tokens, chunk):
    markdown = "".join(tokens)
    messages = device.pieces(markdown)
    assert check.faults(messages) == []
    assert device.pieces(markdown, chunk=chunk) == messages


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=300))
def test_any_text(text):
    assert check.faults(device.pieces(text)) == []


@pytest.mark.parametrize(
    "markdown",
    [
        "[a][a]: http://d.e\n[a]: http://d.e\n",  # a paragraph's line defines nothing
        "[a][a]: http://d.e\n- [a]: http://d.e\n",  # an item's does
        "[a]\n\n```py\n[a]: http://d.e\n```\n",  # code's does not
        "[a]\n\n[b]: http://d.e\n[a]: http://d.e\n[c]: http://d.e\n\n[c] [b]\n",
        "# [a]\n[a]: http://d.e\n",
        "i\n\n[\n\n[o]:i",
    ],
)
def test_definitions_are_where_a_block_begins(markdown):
    messages = device.pieces(markdown)
    assert reference.actual(messages) == reference.expected(markdown)
    assert device.pieces(markdown, again=True) == messages


@pytest.mark.parametrize("count", [60, 300])
def test_references_beyond_what_is_looked_for_are_text(count):
    """Many references to as many definitions: all of some, and no time that grows with the square."""
    references = "".join(f"[{n}x] " for n in range(count, 0, -1))
    definitions = "".join(f"[{n}x]: http://d.e/{n}\n" for n in range(count + 1))
    started = time.process_time()
    messages = device.pieces(f"{references}\n\n{definitions}")
    assert check.faults(messages) == []
    found = "".join(messages).count("<a href")
    assert found == 60 if count == 60 else 0 < found < count
    assert check.faults(device.pieces("x\n" + "[a]: b\n" * 1700)) == []
    assert time.process_time() - started < 10


@pytest.mark.parametrize("error", [AssertionError("refused"), IndexError("out of range")])
def test_a_document_that_fails_is_made_small_and_kept(error, monkeypatch, tmp_path):
    def examine(markdown):
        if "*" in markdown:
            raise error

    monkeypatch.setattr(fuzz, "KEPT", tmp_path / "seeds.json")
    monkeypatch.setattr(fuzz, "examine", examine)
    with pytest.raises(UserError, match=type(error).__name__):
        fuzz.batch(0, 200)
    (kept,) = fuzz.kept()
    assert "*" in kept
    assert len(kept) < 4


COMPARABLE = [token for token in corpus.TOKENS if check.comparable(token)]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(COMPARABLE), max_size=16))
def test_visible_text_is_kept(tokens):
    markdown = "".join(tokens)
    assume(check.comparable(markdown))
    assert check.lost(markdown, device.pieces(markdown)) is None


def test_under_micropython_it_is_the_same():
    texts = [example.markdown for example in corpus.answers()[:80]]
    texts += [corpus.document(seed).replace("\ud800", "\ufffd") for seed in range(120)]
    jobs = [json.dumps({"id": n, "markdown": text}) for n, text in enumerate(texts)]
    run = subprocess.run(
        [sys.executable, "-m", "host_tools.cli", "format"],
        input="\n".join(jobs) + "\n",
        capture_output=True,
        encoding="utf-8",
        timeout=25,
        check=True,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == list(range(len(texts)))
    for text, answer in zip(texts, answers, strict=True):
        assert answer["messages"] == device.pieces(text), text


def test_golden_page_is_what_the_formatter_does():
    text = golden.PAGE.read_text("utf-8")
    assert text.endswith(golden.markdown())
    assert f"]({golden.PICTURE.name})" in text
    assert golden.PICTURE.read_text("utf-8") == golden.picture()
    for source in golden.GOLDEN.values():
        assert check.faults(device.pieces(source)) == []


def test_named_characters_are_those_of_the_page_and_of_the_reference():
    page = golden.PAGE.read_text("utf-8")
    listed = re.search(r"Latin-1's 96 and ([a-z ]+)", page)
    assert listed
    latin = [codepoint2name[code] for code in range(0xA0, 0x100)]
    assert len(latin) == 96
    assert {*latin, *listed[1].split()} == reference.NAMES
    for name in reference.NAMES:
        (message,) = device.pieces(f"x&{name};x")
        assert judge(message).text == html.unescape(f"x&{name};x"), name
    for name in html5:
        if name.rstrip(";") not in reference.NAMES:
            (message,) = device.pieces(f"x&{name.rstrip(';')};x")
            assert judge(message).text == f"x&{name.rstrip(';')};x", name


def modules():
    """The formatter's files, parsed, by module name."""
    folder = device.FIRMWARE / "copepod" / "text"
    return {path.stem: ast.parse(path.read_text()) for path in folder.glob("*.py")}


def test_the_state_has_the_fields_that_the_rules_use_and_no_others():
    def fields(tree, name, context):
        return {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
            and isinstance(node.ctx, context)
        }

    trees = modules()
    (state,) = (node for node in trees["state"].body if isinstance(node, ast.ClassDef))
    methods = {node.name for node in state.body if isinstance(node, ast.FunctionDef)}
    (init,) = (node for node in state.body if getattr(node, "name", "") == "__init__")
    declared = fields(init, "self", ast.Store)
    read = fields(state, "self", ast.Load)
    for tree in trees.values():
        assert fields(tree, "state", ast.Store) <= declared
        read |= fields(tree, "state", ast.Load)
    assert read - methods == declared


def test_files_share_no_constant_and_make_no_circle():
    defined = {}
    needs = {}
    for name, tree in modules().items():
        for node in tree.body:
            for target in node.targets if isinstance(node, ast.Assign) else ():
                assert isinstance(target, ast.Name)
                assert defined.setdefault(target.id, name) == name, target.id
        needs[name] = {
            (node.module or "").removeprefix("copepod.text.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        }
    while needs:
        free = [name for name, others in needs.items() if not others & set(needs)]
        assert free, f"a circle among {sorted(needs)}"
        for name in free:
            del needs[name]


@pytest.mark.parametrize(
    "around", ["%s", "see %s.", "(%s)", "**%s**", "~~%s~~, a", "|| %s||", "*a %s* b"]
)
@pytest.mark.parametrize(
    "address",
    [
        "https://ex.example/repo/pkg/__init__.py",
        "http://a.example/*/b**c**d",
        "https://a.example/x~~y~~z?q=_r_&s=**t**",
        "https://a.example/wiki/A_(b)_(c)",
        "https://a.example/a||b||c",
        "a.example/__x__/y",
        "tg://resolve?domain=__a__b",
    ],
)
def test_nothing_of_a_bare_address_is_eaten(address, around):
    (message,) = device.pieces(around % address)
    assert address in judge(message).text
    assert reference.actual([message]) == reference.expected(around % address)


def test_what_has_no_column_is_shown_below_the_table():
    header = "|".join(f"h{n}" for n in range(20))
    text = f"|{header}|\n|{'-|' * 20}\n|{header.replace('h', 'c')}|d0|**d1**|\n\nafter"
    (message,) = device.pieces(text)
    shown = judge(message).text
    for name in [f"{x}{n}" for x in "hc" for n in range(20)] + ["d0", "d1"]:
        assert name in shown.replace("\n", " ").split(), name
    assert shown.endswith("\nh16 | h17 | h18 | h19\nc16 | c17 | c18 | c19 | d0 | d1\n\nafter")
    rows = "".join(f"|c{n}|d|e{n}|`f \\|\\| g`|\n" for n in range(400))
    messages = device.pieces("|a|b|\n|-|-|\n" + rows)
    assert len(messages) > 2
    assert check.faults(messages) == []
    for n in range(400):
        (whole,) = [m for m in messages if f"\ne{n} | f || g" in m]
        assert f"c{n} " in whole


@pytest.mark.parametrize("seed", range(5))
def test_what_is_ours_is_read_as_the_rules_for_the_reference_say(seed):
    """Addresses, formulas, CJK and the colon after strong text, links without a text, mixed at random."""
    chance = random.Random(seed)
    tokens = [
        "https://e.f/",
        "e.f/",
        "://",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "：",
        "」",
        "日本",
        "a",
        "(",
        ")",
        ".",
        ":",
        "!",
        "$",
        "x_1",
        "**",
        "*",
        "__",
        "_",
        "~~",
        "![](",
        "[](/x)",
        "![a](/b)",
    ]
    tokens += [" ", " ", "\n"]
    for _ in range(200):
        text = "a" + "".join(chance.choice(tokens) for _ in range(chance.randint(2, 12)))
        messages = device.pieces(text)
        assert check.faults(messages) == []
        assert reference.actual(messages) == reference.expected(text), text


def test_a_piece_of_invisible_characters_is_not_sent():
    for sign in ("\u202a", "\u200b", "\ufeff"):
        messages = device.pieces("a\n\n" + sign * 9000)
        assert messages == ["a"], sign
        messages = device.pieces("a\n\n" + sign * 9000 + "\n\n" + "b " * 3000)
        assert check.faults(messages) == []
        assert "".join(messages).count("b") == 3000


def test_modules_loaded_on_demand_are_forgotten_with_the_answer():
    machine = device.formatter()
    text = (
        "a | b\n-|-\n<u>c</u> | &copy;\t https://k.l/\n\n[d] $e_1$ *“f”*\n\n[d]: <http://g.h> 'i'\n"
        + "j" * 5000
    )
    on_demand = [
        f"copepod.text.{name}"
        for name in sys.modules[type(machine).__module__]._ON_DEMAND.split()
        if name != "styled"  # for plainer texts than this
    ]

    def loaded():
        return [name for name in on_demand if name in sys.modules]

    machine.keeps_modules = False
    machine.begin()
    assert not loaded()
    machine.feed(text)
    machine.finish()
    while machine.ready():
        machine.write(lambda *_: None)
        machine.write_markdown(lambda *_: None)
        assert loaded() == on_demand
        assert not {"copepod.text.cuts", "copepod.text.bounds"} & sys.modules.keys()
        machine.drop()
    assert not loaded()
    machine.begin()
    machine.feed("word " * 60)
    machine.finish()
    assert machine.ready()
    assert not loaded()  # a look at how its lines begin was enough
    machine.begin()
    files = {path.stem for path in (device.FIRMWARE / "copepod" / "text").glob("*.py")}
    assert {name.removeprefix("copepod.text.") for name in on_demand} <= files
