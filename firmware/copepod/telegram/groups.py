"""Whether a message in a group speaks to the bot by name. Memory: loaded when the first one comes."""


def word(text):
    """Whether `text` is made of letters, digits and underscores, and of at least one."""
    for c in text:
        if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c == "_"):
            return False
    return text != ""


def without(name, text):
    """The text without `name` ("@copepod_bot", in lower case); None if the name is not in it."""
    low = text.lower()
    at = low.find(name)
    while at >= 0:
        end = at + len(name)
        if not word(low[end : end + 1]) and not (at and word(low[at - 1])):
            return (text[:at] + text[end:]).strip()
        at = low.find(name, end)
    return None
