"""Single values of the config, each of the right kind. Memory: dropped after use."""


def object_of(found, prefix, name, kind):
    """The dict or list `name` of a dict, an empty one if it is not there; ValueError names its key."""
    value = found.get(name)
    if value is None:
        return kind()
    if type(value) is not kind:
        raise ValueError(
            "%s%s: expected %s" % (prefix, name, "a list" if kind is list else "an object")
        )
    return value


def text(found, prefix, name, default):
    """The string `name` of a dict; ValueError names its key."""
    value = found.get(name)
    if value is None:
        return default
    if type(value) is not str:
        raise ValueError("%s%s: expected a string" % (prefix, name))
    return value


def number(found, prefix, name, row):
    """The whole number `name` of a dict; `row`: default, least and most. ValueError names its key."""
    value = found.get(name)
    if value is None:
        value = row[0]
    if type(value) is not int or not row[1] <= value <= row[2]:
        raise ValueError("%s%s: expected %d to %d" % (prefix, name, row[1], row[2]))
    return value


def beside(path, name):
    """The path of a file or folder: beside the config at `path`, unless it is an absolute one."""
    if name[:1] == "~":
        raise ValueError("agents.defaults.workspace: expected a path without ~")
    if name[:1] != "/" and "/" in path:
        name = path[: path.rindex("/") + 1] + name
    return name
