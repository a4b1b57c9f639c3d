"""Blocks of code, fenced and indented. Memory: loaded on demand."""

from copepod.text.blanks import skip_blanks
from copepod.text.chars import punctuation
from copepod.text.containers import match_line
from copepod.text.lines import fence_run
from copepod.text.literal import put_raw
from copepod.text.margins import begin_block
from copepod.text.output import put_blanks, put_breaks, put_tag, reference_at
from copepod.text.state import CODE_BLOCK, LINE


def read_fence(state, q, e):
    """Note what the fence at q needs to be closed, and its language."""
    buf = state.buf
    n = fence_run(state, q)
    state.fence = buf[q]
    state.fence_length = n
    state.fence_indent = state.column - state.base
    p = skip_blanks(state, q + n)
    n = 0
    character = state.character
    while p < e:
        k = 1
        after = p + 1
        character[0] = buf[p]
        if buf[p] == 92 and punctuation(buf[after]):
            character[0] = buf[after]
            after += 1
        elif buf[p] == 38:
            found = reference_at(state, p, e)
            if found:
                state.room_for("charrefs")
                from copepod.text.charrefs import encode

                k = encode(found >> 6, character)
                after = p + (found & 63)
        if character[0] <= 32 or character[0] in b'"<>&' or n + k > len(state.language):
            break
        p = after
        after = 0
        while after < k:
            state.language[n] = character[after]
            n += 1
            after += 1
    while n and p < e and buf[p] & 0xC0 == 0x80:  # not half a character
        p -= 1
        n -= 1
    state.language_length = n


def put_pre(state, opens):
    """The tags around a block of code."""
    n = state.language_length
    if not opens:
        put_tag(state, b"</code></pre>" if n else b"</pre>")
    elif n:
        put_tag(state, b'<pre><code class="language-', 1)
        if state.sink:
            state.sink(state.language, 0, n)
        put_tag(state, b'">')
    else:
        put_tag(state, b"<pre>", 1)


def write_code(state, stop):
    """Lines of code, from the first one or from where the last piece ended."""
    buf = state.buf
    fence = state.fence
    state.indent = 0
    p = state.pos
    indented = not (fence or state.block)  # the first line of indented code is matched already
    if fence:
        if state.block:
            state.language[:] = state.kept_language
        else:
            p = state.next_pos
    state.latest_cut = state.pos
    state.block = CODE_BLOCK
    state.in_code = True
    opened = False
    blanks = 0
    if fence and not (state.depth or state.fence_indent or state.tabs):
        e = closing_line(state, p)
        q = min(e - 1, stop) if e > p else p
        if q > p:
            begin_block(state)
            put_pre(state, True)
            opened = True
            state.mid_line = stop < e and buf[stop - 1] != 10
            put_raw(state, p, q - 1 if q == stop and buf[q - 1] == 10 else q)
        if stop < e:
            p = stop
        else:
            p = state.find(b"\n", e) + 1
            state.block = 0
    while p < stop and state.block:
        start = p
        extra = 0
        if not state.mid_line:
            if not indented:
                match_line(state, p)
            indented = False
            start = state.text_at
            indent = state.column - state.base
            if state.matched < state.depth:
                state.block = 0
                break
            if fence:
                if buf[start] == fence and indent < 4 and closes_fence(state, start):
                    state.block = 0
                    p = state.find(b"\n", start) + 1
                    break
            elif buf[start] == 10:
                blanks += 1
                p = start + 1
                continue
            elif indent < 4:
                state.block = 0
                break
            extra = max(indent - state.fence_indent, 0)
        state.mid_line = 0
        if state.inside_block:
            state.counter.note(state, LINE, p)
        state.latest_cut = p
        if opened:
            while blanks:
                put_breaks(state)
                blanks -= 1
            put_breaks(state)
        else:
            begin_block(state)
            put_pre(state, True)
            opened = True
            blanks = 0
        put_blanks(state, extra)
        e = state.find(b"\n", start)
        if e > stop:
            e = stop
            state.mid_line = 1
        put_raw(state, start, e, extra)
        p = e if state.mid_line else e + 1
    state.in_code = False
    if opened:
        put_pre(state, False)
    state.gap = max(state.gap, 1 + (blanks > 0))
    state.pos = p


def closes_fence(state, q):
    """True if a run at q closes the fence that is open."""
    buf = state.buf
    p = q
    while buf[p] == state.fence:
        p += 1
    return p - q >= state.fence_length and buf[skip_blanks(state, p)] == 10


def closing_line(state, p):
    """The start of the line that closes the fence (one that lies in no container), or where the text ends."""
    fence = b"```" if state.fence == 96 else b"~~~"
    q = p
    while True:
        q = state.find(fence, q, state.held)
        if q < 0:
            return state.held + 1
        line = state.buf.rfind(b"\n", 0, q) + 1
        if line >= p and (line or not state.mid_line) and q - line < 4:
            if skip_blanks(state, line) == q and closes_fence(state, q):
                return line
        while state.buf[q] == state.fence:
            q += 1
