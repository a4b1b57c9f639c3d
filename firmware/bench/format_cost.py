"""What formatting costs: time and allocation beside PicoClaw's rules in `re`, garbage, state, and growth on hard input.

Runs under any MicroPython: `run(path)` reads texts that are separated by lines of `%%%`. Memory: two
texts of 4,096 units and what the rules need.
"""

import gc
import time

from bench import format_rules
from copepod.text.markdown import Formatter

_SEPARATOR = "\n%%%\n"
_SAMPLE_US = 4000
_ROUNDS = 7


def _nothing(buf, start, end):
    global _written
    _written += end - start


_written = 0


def ours(formatter, text):
    """All of a text through the formatter; returns how many messages it made."""
    formatter.begin()
    view = memoryview(text)
    at = 0
    messages = 0
    while True:
        while at < len(view):
            taken = formatter.feed(view, at)
            if not taken:
                break
            at += taken
        if at == len(view):
            formatter.finish()
        if formatter.ready():
            formatter.write(_nothing)
            formatter.drop()
            messages += 1
        elif formatter.done():
            return messages


def _us(calls, function, *args):
    """Microseconds that a call takes, the mean of `calls`."""
    gc.collect()
    start = time.ticks_us()
    for _ in range(calls):
        function(*args)
    return time.ticks_diff(time.ticks_us(), start) / calls


def _enough(us):
    """How many calls of `us` take some milliseconds."""
    return max(int(_SAMPLE_US / max(us, 1)), 1)


def _used(function, *args):
    """The bytes that a call allocates."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    function(*args)
    used = gc.mem_alloc() - before
    gc.enable()
    return used


def _middle(rounds):
    """Of pairs of times, the pair whose ratio is the median: what slows a machine down slows both of a pair."""
    return sorted((first / max(second, 1), first, second) for first, second in rounds)[len(rounds) // 2]


def _beside(formatter, name, texts):
    rounds = [[0.0, 0.0] for _ in range(_ROUNDS)]
    bytes_ = [0, 0]
    failed = worst = over = 0
    global _written
    for text in texts:
        _written = 0
        messages = ours(formatter, text)
        out = _written
        used = _used(ours, formatter, text)
        allowed = out * 5 // 4 + 512 * max(messages, 1)
        over += used > allowed
        worst = max(worst, used * 100 // allowed)
        try:
            rules_used = _used(format_rules.convert, text)
            rules_calls = _enough(_us(1, format_rules.convert, text))
        except RuntimeError:  # maximum recursion depth exceeded
            gc.enable()
            failed += 1
            continue
        bytes_[0] += used
        bytes_[1] += rules_used
        calls = _enough(_us(1, ours, formatter, text))
        for times in rounds:
            times[0] += _us(calls, ours, formatter, text)
            times[1] += _us(rules_calls, format_rules.convert, text)
    ratio, us, rules_us = _middle(rounds)
    print("%s: %d texts, %d on which the rules fail" % (name, len(texts), failed))
    print("  time        %8d us, rules %8d us, ratio %.2f (median of %d)" % (us, rules_us, ratio, _ROUNDS))
    print("  allocation  %8d B,  rules %8d B,  ratio %.3f" % (bytes_[0], bytes_[1], bytes_[0] / max(bytes_[1], 1)))
    print("  garbage: %d texts over 1.25 x output + 512 B a message; the worst at %d %% of it" % (over, worst))
    return ratio, bytes_[0] / max(bytes_[1], 1), over


def _loading(formatter, texts):
    """What it adds to load anew, for each text, the modules that it needs: how many texts, most bytes, microseconds."""
    count = most = us = 0
    for text in texts:
        ours(formatter, text)
        used = _used(ours, formatter, text)
        kept_us = _us(1, ours, formatter, text)
        formatter.keeps_modules = False
        ours(formatter, text)
        added = _used(ours, formatter, text) - used
        if added > 0:
            count += 1
            most = max(most, added)
            us += _us(1, ours, formatter, text) - kept_us
        formatter.keeps_modules = True
    each_us = us / max(count, 1)
    print("loading on demand: %d of %d answers, %d us each, %d B at most" % (count, len(texts), each_us, most))
    return count, most


def _grows(formatter):
    """Hard inputs of a length and of twice that; the largest ratio of the two times."""
    worst = 0
    for unit in ("*", "[", "`", ">", "> ", "_a ", "!["):
        count = 20000 // min(len(unit), 2)
        text = unit * count
        calls = _enough(_us(1, ours, formatter, text))
        once = twice = 1e9  # the least of some rounds: the work is the same each time
        for _ in range(_ROUNDS):
            twice = min(twice, _us(calls, ours, formatter, text + text))
            once = min(once, _us(calls, ours, formatter, text))
        ratio = twice / once
        print("  %-4s x %d: %7d us, twice that %7d us, ratio %.2f" % (unit, count, once, twice, ratio))
        worst = max(worst, ratio)
    return worst


def run(path):
    """Measure and print; the texts are in the file at `path`. Returns the figures as a dict."""
    gc.collect()
    before = gc.mem_alloc()
    buffer = bytearray(12544)
    gc.collect()
    with_buffer = gc.mem_alloc()
    formatter = Formatter(buffer)
    formatter.keeps_modules = True  # what loading them takes is measured by itself
    gc.collect()
    state = gc.mem_alloc() - with_buffer
    print("piece buffer %d B, the rest of the formatter's state %d B" % (with_buffer - before, state))
    scripts = (
        "The quick brown fox jumps over the **lazy** dog. ",
        "Съешь же ещё этих **мягких** французских булок. ",
        "敏捷的棕色狐狸跳过了**懒惰**的狗。",
        "🦀 Hello `there` 🚀 **go** ",
    )
    short = [text * 4 for text in scripts]
    short = [text[:60] for text in short]
    long = [(text * 300)[:4096] for text in scripts]
    figures: dict = {"state_b": state}
    figures["short"] = _beside(formatter, "60 units in four scripts", short)
    figures["long"] = _beside(formatter, "4,096 units in four scripts", long)
    with open(path) as file:
        texts = file.read().split(_SEPARATOR)
    figures["answers"] = _beside(formatter, "answers", texts)
    figures["loading"] = _loading(formatter, texts)
    print("growth on hard input")
    figures["growth"] = _grows(formatter)
    return figures
