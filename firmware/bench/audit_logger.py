"""One log line: a dict of fields and a formatted string against parts printed in turn. Memory: per row.

Both sides write to the console, so the lines that they print are part of the console's log.
"""

import sys

from copepod.log import log


def with_dict():
    """A structured logger: fields in a dict, the line built as one string."""
    fields = {"sender_id": 123456789, "chat_id": 123456789, "preview": "The tide turns"}
    line = "[%s] %s: %s" % ("INFO", "telegram", "Received message")
    line += " {" + ", ".join("%s=%s" % (key, fields[key]) for key in fields) + "}"
    sys.stdout.write(line + "\n")


def with_parts():
    """Copepod: the parts, one after another."""
    log("telegram", "received message sender_id=", 123456789, " chat_id=", 123456789)


ROWS = (("dict and formatted line", with_dict), ("parts printed in turn", with_parts))
