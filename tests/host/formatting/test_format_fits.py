"""What the formatter takes to fit without counting does fit, and has something to show, when counted."""

import random
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.formatting import corpus, device

MACHINE = device.formatter()


def counted(markdown):
    """Whether it was taken to fit; then whether counting finds the same."""
    MACHINE.begin()
    data = markdown.encode("utf-8", "surrogatepass")
    if MACHINE.feed(data) < len(data):
        return False, True
    MACHINE.finish()
    module = sys.modules[type(MACHINE).__module__]
    quick = module.fits
    answers = []

    def fits(state):
        answers.append(quick(state))
        return False

    module.fits = fits
    try:
        messages = 0
        while MACHINE.ready():
            messages += 1
            MACHINE.drop()
    finally:
        module.fits = quick
    return bool(answers and answers[0]), messages == 1


def test_answers():
    texts = [example.markdown for example in corpus.answers()]
    found = [counted(text) for text in texts]
    assert all(right for quick, right in found if quick)
    assert sum(quick for quick, _ in found) > len(texts) * 0.9


# What begins lines, ends blocks, or makes a line longer than it was written.
LINES = (
    "```\n",
    "```py\n`a` **b**\n```\n",
    "   ```\n",
    "~~~\n",
    "````\n",
    "- ```\n",
    "- - - - - - a\n",
    "lazy\n",
    "> > > > > b\n",
    "    code\n",
    "\n    code\n",
    "|c|d|\n|-|-|\n|e|f|\n",
    "|" + "g" * 30 + "|h|\n",
    "|---|---|\n",
    "- i | j\n  - | -\n  **k** | l\n",
    "___\n",
    "m `n`\n===\n",
    "# **o** `p`\n",
    "99999999. q\n",
    "-\n",
    "[r]: /s\n",
    "1. > - t\n",
    "**`u`\n",
    "`v`** ",
    "+ W `x`\n",
    "$x_1$\n",
    "\n\\(y\\)\n",
    "- \\[z^2\\]\n",
    "**\n$$a_b$$\n",
    "![](ab.cd/ef) ",
    "[](ij.kl)\n",
    "|m|n|o|**p**|q|\n",
    "https://r.st/__u__ ",
)


@pytest.mark.parametrize("seed", range(4))
def test_near_the_limits(seed):
    chance = random.Random(seed)
    tokens = ("**a** ", "`b` ", "*c* ", "\n", "\n\n", "- d\n", "# e\n\n", "9. f\n", "> g\n\n")
    tokens += (
        "日本",
        "привет ",
        "🦀",
        "[h](http://i.jk) ",
        "    - l\n",
        "<u>m</u>",
        "~~n~~ ",
        "word " * 9,
        *LINES,
    )
    agreed = 0
    for _ in range(200):
        some = chance.sample(tokens, chance.randint(1, 5))
        text = "a" + "".join(chance.choice(some) for _ in range(chance.randint(1, 700)))
        quick, right = counted(text)
        assert right or not quick, text
        agreed += quick
    assert agreed > 10


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(corpus.TOKENS) | st.text(max_size=8), max_size=20), st.integers(1, 40)
)
def test_hypothesis_documents(tokens, times):
    quick, right = counted("a" + "".join(tokens) * times)
    assert right or not quick
