"""The one-byte marks that resolved Markdown carries inside the buffer. Memory: constants only.

Control characters never survive feeding, so their codes are free. When a delimiter is found to mean
something, its first byte is overwritten by a mark that says what; nothing else has to be remembered, the
piece can be written any number of times, and ORIGINAL turns every mark back into the Markdown it replaced.

    0  NUL of the input, shown as U+FFFD     14 15  ~~ opens, closes       23  [ of a link
    1  backslash of an escape or hard break  16 17  ~ opens, closes        24  ! of an image
  2 3  strong opens, closes (two bytes)      18 19  || opens, closes       25  ] before (destination)
  4 5  emphasis with * opens, closes            20  < of HTML shown as it is  26  ] before [label] or []
  6 7  emphasis with _ opens, closes            21  < of a tag Telegram has   27  ] of a shortcut reference
  9 10 tab and line feed, never marks        22 30  ` of a code span       28 29  < of an autolink, $ of math
   11  [ of a link reference definition      12  \\ of a formula in \\(...\\) or \\[...\\]
   13  / of a bare address
"""

from micropython import const

BACKSLASH = const(1)
DEFINITION = const(11)
FORMULA = const(12)
ADDRESS = const(13)
HTML = const(20)
TAG = const(21)
CODE = const(22)  # its end is END_CODE
LINK = const(23)
IMAGE = const(24)
END_INLINE = const(25)
END_LABEL = const(26)
AUTOLINK = const(28)
MATH = const(29)
END_CODE = b"\x1e"

# ORIGINAL[mark] is what the byte was; for 2 and 3 it is whatever the byte after it is.
ORIGINAL = b"\0\\****__\0\t\n[\\/~~~~||<<`[!]]]<$`"
# The style that a mark below 20 opens or closes; odd marks close.
STYLE = b"\0\0\1\1\2\2\2\2\0\0\0\0\0\0\4\4\4\4\5\5"
STYLE_MARKS = b"\2\3\4\5\6\7\t\0\13\16\17\20\21\22\23"  # and those of blocks: emphasis.py need not stop there
# Styles: bold, italic, underlined, struck through, spoiler.
BOLD = const(1)
# The tags of a style lie in TAGS from EDGES[2 * style] (opens) and EDGES[2 * style + 1] (closes) to the next edge.
TAGS = b"<b></b><i></i><u></u><s></s><tg-spoiler></tg-spoiler>"
EDGES = b"\0\0\0\3\7\12\16\21\25\30\34\50\65"
