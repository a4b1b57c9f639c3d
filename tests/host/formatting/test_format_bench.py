"""The comparison with other converters: its measures, and ours by them."""

from host_tools.formatting import bench, check, converters, corpus, device, picoclaw
from host_tools.simulator.judge import judge


def scored(texts, run):
    made = run([example.markdown for example in texts])
    return bench.score(texts, [[bench._judged(message) for message in one] for one in made])


def test_our_columns_are_full():
    texts = corpus.answers()[::2] + corpus.random_documents(40)
    score = scored(texts, converters._ours)
    for column in ("accepted", "text kept", "code exact", "language"):
        hits, tries = score[column]
        assert tries > 30, column
        assert hits == tries, column


def test_the_restated_rules_have_their_faults():
    assert picoclaw.messages("**bold** and ~~old~~") == ["<b>bold</b> and <s>old</s>"]
    assert picoclaw.messages("foo_bar and baz_qux") == ["foo<i>bar and baz</i>qux"]
    assert picoclaw.messages("- one\n- two") == ["• one\n- two"]
    assert picoclaw.messages("*italic* & `a<b`") == ["*italic* &amp; <code>a&lt;b</code>"]
    assert picoclaw.messages("```py\nx\n```") == ["<pre><code>x\n</code></pre>"]
    assert not judge(picoclaw.messages("**a _b** c_")[0]).ok


def test_the_restated_rules_split():
    text = "```py\n" + "line of code\n" * 600 + "```\n" + "a word " * 900
    messages = picoclaw.messages(text)
    assert len(messages) > 3
    assert all(judge(message).ok for message in messages)
    assert check.kept(text, "".join(judge(message).text for message in messages))


def test_the_columns_count_what_they_say():
    texts = [
        corpus.Example("t", "1", "Inlines", "**bold** `code` word"),
        corpus.Example("t", "2", "", "```py\nx = 1\n```"),
        corpus.Example("t", "3", "", "<div>shown</div> &nope; text"),
    ]
    right = [["<b>bold</b> <code>code</code> word"]]
    right += [['<pre><code class="language-py">x = 1</code></pre>'], ["shown &amp;nope; text"]]
    wrong = [["**bold** code"], ["<pre>x = 1</pre>"], ["<b>text"]]

    def run(messages):
        return scored(texts, lambda _: [[{"html": m} for m in one] for one in messages])

    assert all(hits == tries for hits, tries in run(right).values())
    assert run(wrong) == {
        "accepted": [2, 3],
        "text kept": [1, 3],
        "nothing added": [1, 3],
        "entities": [0, 1],
        "code exact": [1, 1],
        "language": [0, 1],
    }


def test_other_forms_of_messages_are_judged():
    assert bench._judged({"markdownv2": "*a* `b`"}).entities[0]["type"] == "bold"
    assert not bench._judged({"markdownv2": "*a"}).ok
    entity = {"type": "text_link", "offset": 0, "length": 1, "url": "https://a.example"}
    assert bench._judged({"text": "a b", "entities": [entity]}).entities == [
        {**entity, "url": "https://a.example/"}
    ]
    assert not bench._judged({"text": " ", "entities": []}).ok
    assert not bench._judged({"failed": "ValueError()"}).ok


def test_names_that_the_table_lacks_are_not_lost():
    assert check.exact("&Dcaron; &copy; x", judge(device.pieces("&Dcaron; &copy; x")[0]).text)
    assert check.exact("&Dcaron;", "Ď")
    assert check.kept("a <b>b</b> <i", "a b <i and more")
    assert not check.exact("a b", "a b and more")
    assert not check.kept("a b c", "a c b")
    assert not check.kept("lost", "")
