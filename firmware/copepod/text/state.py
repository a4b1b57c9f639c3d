"""The state of the formatter: every field, what it means and its range. Memory: about 1.5 kB beside the buffer.

The rules are functions over one State. A byte offset into the buffer is called a place (0 to len(buffer));
units are UTF-16 units of what is shown; a column is counted from the line's beginning, tabs expanded.
"""

import sys
from array import array

from micropython import const

from copepod.once import forget

LIMIT = const(4096)  # units of a message, after its entities are parsed
FAR = const(0xFFFF)  # a place that none is beyond: what is looked for does not come
QUOTE = const(62)  # >, also the kind of a container that is a quote; that of an item is its marker's last byte
# What the piece may begin in the middle of: state.block
PARAGRAPH = const(1)
CODE_BLOCK = const(2)
TABLE = const(3)
HEADING = const(4)
# Where a piece may be cut, from best to worst: between blocks, lines, sentences, words.
BLOCK = const(0)
LINE = const(1)

# How little a piece means: state.bare
BARE = const(1)
STYLED = const(2)

LONGEST = const(2000)  # bytes of a link's destination or title; a longer one is text
DEEPEST = const(8)  # containers, one in another; what lies deeper is text
# Of Python's heap that has to be free to load one of the modules: what it was measured to ask for the first time, on
# the bare machine, and 1.5 kB for what lies in pieces; of those that come last what stays of it, and 0.5 kB.
_BLOCKS_B = const(12000)
_STRUCTURE_B = const(7000)
_FENCES_B = const(3100)
_LINKS_B = const(4600)
_TABLES_B = const(9000)
_DEFINITIONS_B = const(3500)
_MIDDLING_B = const(2400)
_SMALL_B = const(1300)
# Words in one str: in a tuple each would be an object.
_MIDDLING = "html formulas charrefs bounds styled"
# Those that may go when there is no room, since they are loaded again when they are needed. Not tables.py, which is
# what counts while what stands in a cell is loaded.
_IN_TURN = "fences links unicode destinations definitions html formulas addresses charrefs symbols controls"
_LANGUAGE_B = const(24)
_OPEN_DELIMITERS = const(24)


class State:
    """What the formatter knows of the answer. Only the fields below exist; begin() sets what an answer starts with."""

    def __init__(self, buffer):
        # The window: the text that has not been sent.
        self.buf = buffer
        self.view = memoryview(buffer)
        self.find = buffer.find
        self.room = len(buffer) - 8  # bytes of text that fit; after it a line feed that ends it, and room to look ahead
        self.held = 0  # bytes of text in the buffer
        self.finished = False  # no more text comes
        self.after_return = False  # the text ends with a carriage return: a line feed after it belongs to it
        self.tabs = False  # it has tabs or NULs
        self.wide = False  # it has more than ASCII
        self.bars = False  # it has |: a table is possible
        self.definitions = False  # it has ]: after a [, a link reference definition is possible

        # The piece: what is sent next, from 0 on.
        self.cut = 0  # where it ends, 0 while that is not known
        self.written = 0  # 1 when writing has begun, 2 when it has been written
        self.bare = 0  # BARE: it is written as it stands (bare.py); STYLED: styled.py writes it
        self.resolved = 0  # up to here delimiters have been replaced by marks (marks.py)

        # What the piece begins inside of, and, as it is walked over, what the walk is inside of.
        self.depth = 0  # open containers, 0 to 8
        self.containers = array("H", bytes(2 * 3 * (DEEPEST + 1)))  # of each: kind, width of its indentation, number
        self.quotes = 0  # how many of them are quotes
        self.quote_open = False  # the tag of the outermost has been written
        self.block = 0  # 0, PARAGRAPH, CODE_BLOCK, TABLE or HEADING
        self.mid_line = False  # the piece begins in the middle of a line of that code or table
        self.indent = 0  # blanks before a further line of the block
        self.style_count = 0  # open styles
        self.styles = bytearray(8)  # the first 8 of them: BOLD to SPOILER
        self.fence = 0  # the fence's character, 0 for indented code
        self.fence_length = 0
        self.fence_indent = 0  # columns that each line of the code loses
        self.language_length = 0
        self.language = bytearray(_LANGUAGE_B)
        self.kept_language = bytearray(_LANGUAGE_B)  # the same for the piece's beginning
        self.carried = None  # the fields above (see save()), when the piece begins inside of something
        self.columns = None  # of the table: their number, then alignment << 6 | width of each; made for the first one
        self.kept_columns = None
        self.table_at = FAR  # where the table begins that was measured last
        self.table_end = 0

        # Modules that were loaded for this answer: an import for each block or link would be garbage.
        self.blocks_module = None
        self.structure_module = None
        self.fences_module = None
        self.links_module = None
        self.need = None  # called with the bytes that one of them takes: MemoryError where there is no room for it

        # The walk (blocks.py): what it is at.
        self.sink = None  # what it writes to; None while it counts
        self.counter = None  # the module that counts then: cuts, or tables for the width of a cell
        self.pos = 0  # the next line, or the place in a block, that is to be walked over
        self.next_pos = 0  # the line after
        self.gap = 0  # line feeds due before the next block, 0 to 2
        self.begun = False  # the block's first line has been begun, by a list marker
        self.any_begun = False  # so has any block of the piece
        self.task = False  # the item begins with [ ] or [x]
        self.after_heading = False
        self.in_code = False
        self.solid = False  # in literal text, not to be cut in
        self.mute = False  # in a table or an image's description: text without tags
        self.bracket_level = 0  # marked brackets that are open
        self.link_level = 0  # the one whose <a> has been written, or 0
        self.image_level = 0  # the one that is an image, or 0

        # The line that was looked at last (containers.py, lines.py).
        self.text_at = 0  # where its text begins, after blanks and the marks of containers
        self.column = 0  # of that place
        self.base = 0  # the column where the innermost container's content begins
        self.matched = 0  # containers that the line lies in
        self.marker_end = 0  # after the list marker
        self.number = 0  # of the item, to 65535
        self.underline = 0  # the end of the line that makes the paragraph a heading, or 0

        # The link (links.py) and the cell of a table that was looked at last.
        self.destination = 0
        self.destination_end = 0
        self.link_after = 0  # what follows the link
        self.cell = 0
        self.cell_end = 0
        self.width = 0  # columns of a cell, as it is measured

        # Searching (scan.py): what a pass stops at, and where each of these comes next.
        self.needle = bytearray(1)
        self.character = bytearray(4)  # one character in UTF-8
        self.openers_at = far_places(7)  # for spans.py, of OPENERS
        self.delimiters = bytearray(b"*_~|")  # for emphasis.py; marks join as they are used
        self.delimiters_at = far_places(4)
        self.stops = bytearray(b"\n&<>")  # for inline.py; marks join as they are used
        self.stops_at = far_places(4)
        self.stops_end = 0  # up to where stops_at was looked for
        self.open_delimiters = array("H", bytes(2 * 2 * _OPEN_DELIMITERS))  # the stack of either pass
        self.effort = 0  # bytes of labels that have been compared in this window
        self.chain = 0  # a line that is known to begin no paragraph's middle (definitions.py)

        # Counting (cuts.py).
        self.exact = False  # UTF-16 units are counted; otherwise bytes, which are never fewer
        self.units = 0
        self.most_units = LIMIT  # where counting may stop
        self.entities = 0
        self.tag_bytes = 0
        self.shown = False  # there is something that Telegram does not count as blank
        self.over = False  # it is more than a message
        self.top = 0  # the last place between blocks outside of containers, and what had been counted there
        self.top_units = 0
        self.top_entities = 0
        self.top_tag_bytes = 0
        self.ends_at_top = False
        self.inside_block = False  # a place inside a block is looked for
        self.places = array("H", bytes(2 * 4))  # the last one for BLOCK to words, and the units there
        self.place_units = array("H", bytes(2 * 4))
        self.latest_cut = 0  # the last place of any kind

    def begin(self):
        """Start a new answer."""
        self.held = self.cut = self.resolved = self.written = 0
        self.finished = self.wide = self.tabs = self.after_return = self.inside_block = False
        self.bare = 0
        self.carried = None
        self.restore()

    def blocks(self):
        """The module of the walk over a piece, loaded when the first one comes that is not bare."""
        if self.blocks_module is None:
            self.make_room(_BLOCKS_B)
            from copepod.text import blocks

            self.blocks_module = blocks
        return self.blocks_module

    def structure(self):
        """The module of blocks that are more than plain lines, loaded when the first one comes."""
        if self.structure_module is None:
            self.make_room(_STRUCTURE_B)
            from copepod.text import structure

            self.structure_module = structure
        return self.structure_module

    def fences(self):
        """The module of code, loaded when the first one comes."""
        if self.fences_module is None:
            self.make_room(_FENCES_B)
            from copepod.text import fences

            self.fences_module = fences
        return self.fences_module

    def tables(self):
        """The module of tables, loaded whenever there is one and dropped with the answer."""
        self.structure()  # which they need
        if "copepod.text.tables" not in sys.modules:
            self.make_room(_TABLES_B)
        from copepod.text import tables

        return tables

    def room_for(self, name):
        """Before the import of one of the small modules: MemoryError where there is no room for it."""
        if self.need is not None and "copepod.text." + name not in sys.modules:
            if name == "definitions":
                self.make_room(_DEFINITIONS_B)
            else:
                self.make_room(_MIDDLING_B if name in _MIDDLING else _SMALL_B)

    def make_room(self, size_b):
        """MemoryError where a module of `size_b` would have Python's heap grow, also without those that are done."""
        need = self.need
        if need is None:
            return
        try:
            need(size_b)
        except MemoryError:
            # What is still at work stays; whatever is needed again is loaded again.
            self.fences_module = self.links_module = None
            for name in _IN_TURN.split():
                forget("copepod.text." + name)
            need(size_b)

    def links(self):
        """The module of links, loaded when the first one comes."""
        if self.links_module is None:
            self.make_room(_LINKS_B)
            from copepod.text import links

            self.links_module = links
        return self.links_module

    def mark(self):
        """Note what the piece begins inside of, so that it can be walked over again."""
        self.carried = None
        if self.depth or self.block or self.containers[0]:
            self.carried = (
                self.depth,
                bytes(self.containers),
                self.quotes,
                self.quote_open,
                self.block,
                self.mid_line,
                self.indent,
                self.style_count,
                bytes(self.styles),
                self.fence,
                self.fence_length,
                self.fence_indent,
                self.language_length,
            )

    def restore(self):
        """Go back to the beginning of the piece."""
        if not self.carried:
            self.depth = self.quotes = self.block = self.style_count = self.containers[0] = 0
            self.quote_open = self.mid_line = False
            return
        (
            self.depth,
            containers,
            self.quotes,
            self.quote_open,
            self.block,
            self.mid_line,
            self.indent,
            self.style_count,
            self.styles[:],
            self.fence,
            self.fence_length,
            self.fence_indent,
            self.language_length,
        ) = self.carried
        self.containers[:] = array("H", containers)

    def keep(self):
        """The piece is over: the next one begins inside the table, or the code, that it ends in."""
        if self.block == CODE_BLOCK:
            self.kept_language[:] = self.language
        elif self.block == TABLE:
            self.kept_columns[:] = self.columns


def far_places(n):
    """An array of n places that are FAR."""
    return array("H", b"\xff" * (2 * n))
