"""Taking text in: whole characters, line feeds only, no controls, no lone surrogates. Memory: none of its own."""

from .chars import utf8_b


def is_full(state):
    """True if the window is full, with whole characters."""
    held = state.held
    if held < state.room:
        return False
    p = held - 1
    while state.buf[p] & 0xC0 == 0x80 and p:
        p -= 1
    return p + utf8_b(state.buf[p]) <= held


def clean(state, p, view):
    """The text in `view` was added at p: no returns, controls, lone surrogates; note what else it has."""
    buf = state.buf
    held = state.held
    if state.after_return and p < held:
        state.after_return = False
        if buf[p] == 10:
            held -= 1
            state.view[p:held] = state.view[p + 1 : held + 1]
    if p >= held:
        state.held = held
        return
    if state.find(b"\n", p, held) < 0:
        c = min(view)
        if c < 32:
            held = clean_controls(state, c, p, held)
    else:
        for c in view:
            if c < 32 and c != 10:
                held = clean_controls(state, min(view), p, held)
                break
    state.held = held
    p = max(p - 2, 0)
    for c in b"\x7f\xc2\xed":
        state.needle[0] = c
        if state.find(state.needle, p, held) >= 0:
            state.room_for("controls")
            from copepod.text import controls

            controls.repair(state, p, held)
            break


def clean_controls(state, lowest, p, held):
    """Take control characters out of the text from p on; `lowest` is the least byte in it."""
    state.room_for("controls")
    from copepod.text import controls

    return controls.blank_controls(state, lowest, p, held)
