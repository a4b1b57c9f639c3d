"""Messages drawn in the terminal about as Telegram draws them, with TDLib's verdict on each."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from host_tools.console import render
from host_tools.simulator.judge import judge, utf16_length


def show(messages: list[str], html: bool = False, console: Console | None = None) -> None:
    """Draw each message in a frame that says how long it is and whether Telegram takes it."""
    console = console or Console(highlight=False)
    for number, message in enumerate(messages, 1):
        verdict = judge(message)
        if html:
            console.print(escape(message), soft_wrap=True)
        if not verdict.ok:
            console.print(f"[red]refused: {escape(verdict.error or '')}[/red]")
            continue
        title = f"{number}/{len(messages)}: {utf16_length(verdict.text)} units"
        drawn = render.message(verdict.text, verdict.entities)
        console.print(Panel(drawn, title=title, title_align="left"))
