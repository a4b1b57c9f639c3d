"""Autolinks and raw HTML: where they end, and which tags are styles. Loaded on demand. Memory: none of its own."""

from copepod.text.blanks import skip_gap

_TAG_NAMES = b"b strong i em u ins s strike del tg-spoiler "
_TAG_STYLES = b"\1\1\2\2\3\3\4\4\4\5"


def autolink_end(state, p, end):
    """After the `>` of an autolink or address whose text begins at p, or 0."""
    buf = state.buf
    q = state.find(b">", p, min(end, p + 1000))
    if q < 0 or not 97 <= buf[p] | 32 <= 122 and not 48 <= buf[p] < 58:
        return 0
    k = p
    while 97 <= buf[k] | 32 <= 122 or 48 <= buf[k] < 58 or buf[k] in b"+.-":
        k += 1
    if buf[k] == 58:
        if not 1 < k - p < 33 or buf[p] < 65:
            return 0
        while k < q:
            if buf[k] <= 32 or buf[k] == 60:
                return 0
            k += 1
        return q + 1
    while k < q and (48 <= buf[k] < 58 or buf[k] > 64 and buf[k] | 32 <= 122 or buf[k] in b".!#$%&'*+/=?^_`{|}~-"):
        if buf[k] in b"@[\\]":
            break
        k += 1
    if buf[k] != 64 or k == p:
        return 0
    k += 1
    label = k
    while k <= q:
        c = buf[k]
        if c == 46 or k == q:
            if k == label or buf[k - 1] == 45 or k - label > 63:
                return 0
            label = k + 1
        elif not (97 <= c | 32 <= 122 or 48 <= c < 58 or c == 45 and k > label):
            return 0
        k += 1
    return q + 1


def html_end(state, p, end):
    """After the `>` of an HTML tag, comment or the like whose text begins at p, or 0."""
    buf = state.buf
    c = buf[p]
    if c == 33 or c == 63:
        close = b">"
        if c == 63:
            close = b"?>"
        elif buf[p + 1] == 45 and buf[p + 2] == 45:
            p += 3
            if buf[p] == 62 or buf[p] == 45 and buf[p + 1] == 62:
                return state.find(b">", p, end) + 1
            close = b"-->"
            p -= 1
        elif buf[p + 1] == 91:
            close = b"]]>"
        elif not 97 <= buf[p + 1] | 32 <= 122:
            return 0
        p = state.find(close, p + 1, min(end, p + 2000))
        return p + len(close) if p > 0 else 0
    closing = c == 47
    if closing:
        p += 1
    if not 97 <= buf[p] | 32 <= 122:
        return 0
    while 97 <= buf[p] | 32 <= 122 or 48 <= buf[p] < 58 or buf[p] == 45:
        p += 1
    while p < end:
        q = skip_gap(state, p)
        c = buf[q]
        if c == 62:
            return q + 1 if q < end else 0
        if closing:
            return 0
        if c == 47:
            return q + 2 if buf[q + 1] == 62 and q + 1 < end else 0
        if q == p or not (97 <= c | 32 <= 122 or c == 95 or c == 58):
            return 0
        while 97 <= buf[q] | 32 <= 122 or 48 <= buf[q] < 59 or buf[q] in b"_.-":
            q += 1
        p = skip_gap(state, q)
        if buf[p] != 61:
            p = q
            continue
        p = skip_gap(state, p + 1)
        c = buf[p]
        if c == 34 or c == 39:
            state.needle[0] = c
            p = state.find(state.needle, p + 1, min(end, p + 2000)) + 1
            if not p:
                return 0
        else:
            q = p
            while buf[p] > 32 and buf[p] not in b"\"'=<>`":
                p += 1
            if p == q:
                return 0
    return 0


def tag_style(state, p):
    """The style that the HTML tag whose name begins at p stands for, or 0."""
    buf = state.buf
    k = style = 0
    while k < len(_TAG_NAMES):
        q = p
        while buf[q] | 32 == _TAG_NAMES[k] and _TAG_NAMES[k] > 32:
            q += 1
            k += 1
        if _TAG_NAMES[k] == 32 and buf[q] == 62:
            return _TAG_STYLES[style]
        k = _TAG_NAMES.find(b" ", k) + 1
        style += 1
    return 0
