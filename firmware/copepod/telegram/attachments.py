"""What a message without text is for a handler. Memory: loaded when the first one comes."""

_FILES = ("[image: photo]", "[voice]", "[audio]", "[video]", "[video]", "[animation]", "[file]")
# An attachment with something to say, by its node in the schema of updates.py: the placeholder, and
# where in the reader's values the words are.
_THINGS = {
    115: ("[sticker: %s]", 36),
    108: ("[location: %s, %s]", 37, 38),
    107: ("[contact: %s %s]", 40, 39),
    111: ("[poll: %s]", 41),
    100: ("[dice: %s %s]", 42, 10),
}


def described(caption, files, thing, values):
    """Caption and placeholder in two lines, or one of them, or None when there is neither.

    `files`: where in `values` the flags of photo, voice, … begin; `thing`: the node of another
    attachment that was seen, or 0.
    """
    mark = None
    for i in range(len(_FILES)):
        if values[files + i]:
            mark = _FILES[i]
            break
    if thing:
        found = _THINGS[thing]
        words = [values[slot] for slot in found[1:]]
        mark = found[0] % tuple("" if word is None else word for word in words)
    if mark is None or not caption:
        return mark or caption
    return caption + "\n" + mark
