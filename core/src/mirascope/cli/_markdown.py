"""Markdown that is still being written: which of its blocks are finished, and how they look."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import RenderableType
from rich.markdown import Markdown

# HTML, definitions of links and the addresses of images are shown as they are written: rich leaves
# out what it can't render, and nothing may get lost.
_PARSER: Final = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["strikethrough", "table"])
    .disable(["image", "reference"])
)

_CLOSED_BY_BLANK_LINE: Final = frozenset(
    {"paragraph_open", "heading_open", "blockquote_open", "table_open", "hr"}
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the document's top level; each item of a list is one.

    Attributes:
        tokens: what the parser made of it.
        start: the line that it begins on, counted from 0.
        item: its number, where it is an item of a list.
        follows_item: whether it stands right after another item of its list.
    """

    tokens: Sequence[Token]
    start: int
    item: int | None = None
    follows_item: bool = False

    @property
    def kind(self) -> str:
        """The type of its first token."""
        return self.tokens[0].type

    def render(self) -> RenderableType:
        """Return what shows the block in a terminal."""
        # Addresses are written out: a link that hides where it leads can't be trusted or copied.
        markdown = Markdown("", hyperlinks=False)
        markdown.parsed = list(self.tokens)
        return markdown


def split_blocks(source: str, first_item: int | None = None) -> list[Block]:
    """Return the blocks of a Markdown text in order.

    Args:
        source: the text.
        first_item: the number of the item that the text begins with, where it goes on a list.
    """
    blocks: list[Block] = []
    for tokens in _top_level(_PARSER.parse(source)):
        for token in tokens:
            for child in token.children or ():
                # A model's line ends are meant: verses, addresses, lists without markers.
                if child.type == "softbreak":
                    child.type = "hardbreak"
        if tokens[0].type in ("bullet_list_open", "ordered_list_open"):
            blocks += _items(tokens, None if blocks else first_item)
        else:
            blocks.append(Block(tokens, _first_line(tokens[0])))
    return blocks


@dataclass(frozen=True, slots=True)
class Split:
    """A Markdown text that is still being written.

    Attributes:
        finished: the blocks that nothing can change any more.
        rest: the text after them.
        item: the number of the item that the rest begins with, where it goes on a list.
    """

    finished: Sequence[Block]
    rest: str
    item: int | None


def split_finished(source: str, first_item: int | None = None) -> Split:
    """Split a Markdown text that is still being written.

    Only lines that are complete decide: half a line can look like the beginning of a new block
    and turn out to go on with the one before.

    Args:
        source: the text so far.
        first_item: the number of the item that the text begins with, where it goes on a list.
    """
    complete = source[: source.rfind("\n") + 1]
    blocks = split_blocks(complete, first_item)
    if not blocks:
        return Split((), source, first_item)
    lines = complete.split("\n")[:-1]
    last = blocks[-1]
    if last.kind == "fence":
        closed = _is_closed_fence(last.tokens[0], lines)
    else:
        closed = last.kind in _CLOSED_BY_BLANK_LINE and not lines[-1].strip()
    if closed:
        return Split(blocks, source[len(complete) :], None)
    start = sum(len(line) + 1 for line in lines[: last.start])
    return Split(blocks[:-1], source[start:], last.item if last.follows_item else None)


def _is_closed_fence(token: Token, lines: Sequence[str]) -> bool:
    start, end = token.map or (0, 0)
    if end - start < 2:
        return False
    # https://spec.commonmark.org/0.31.2/#closing-code-fence
    mark = re.escape(token.markup)
    return re.fullmatch(rf" {{0,3}}{mark}{mark[-1]}*[ \t]*", lines[end - 1]) is not None


def _top_level(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cut a document's tokens into its blocks."""
    depth = start = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : index + 1]
            start = index + 1


def _items(tokens: Sequence[Token], first: int | None) -> Iterator[Block]:
    """Cut a list into lists of one item each, which keep their numbers."""
    opening, *inside, closing = tokens
    if first is None:
        first = int(opening.attrs.get("start", 1))
    for index, item in enumerate(_top_level(inside)):
        own = copy.copy(opening)
        own.attrs = {"start": first + index}
        yield Block([own, *item, closing], _first_line(item[0]), first + index, index > 0)


def _first_line(token: Token) -> int:
    return token.map[0] if token.map else 0
