"""`copepod monitor`: a board's memory, live, without ever disturbing the board.

It only listens. No raw REPL, no reset, no byte sent: what is seen is the application as it runs.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from host_tools.console import serial_io, tracebacks, visible
from host_tools.console.ask_port import ask_port
from host_tools.console.frame_batch import Batch
from host_tools.console.frames import Frame, is_human
from host_tools.console.serial_io import BAUD, LineSplitter, Source
from host_tools.errors import UserError
from host_tools.monitor import recording, screen
from host_tools.monitor.model import Alert, Model
from host_tools.monitor.replay import Replay, Sink

ALERT_STATUS = 3
REFRESH_S = 0.25
# A console that floods is read faster than it is drawn; a read takes at most this much of it.
READ_S = 0.1


class Monitor:
    """One console followed to its end: model, recorder, alerts."""

    def __init__(
        self,
        source: Source,
        *,
        recorder: recording.Recorder | None,
        alerts: list[Alert],
        table: recording.CsvTable | None = None,
    ) -> None:
        self.model = Model()
        self.alert = ""  # what fired
        self.started = time.monotonic()
        self._source = source
        self._splitter = LineSplitter()
        self._recorder = recorder
        self._alerts = alerts
        self._table = table
        self._newest: tuple[float, Frame] | None = None  # a mem_info block may still add to it
        self._was_connected = source.connected

    def step(self, timeout_s: float = READ_S) -> list[tuple[str, Frame | None]]:
        """Read what comes within the time; returns the lines. EOFError at the end."""
        try:
            data = self._source.read(timeout_s)
        except EOFError:
            rest = self._splitter.rest()
            if rest:
                self._take([rest])
            raise
        if self._source.connected != self._was_connected:
            self._was_connected = self._source.connected
            text = "the port is back" if self._was_connected else "the port is gone"
            self.model.log.append((self._now(), f"-- {text} --"))
            if self._recorder:
                self._recorder.notice(self._now(), text)
        return self._take(self._splitter.feed(data)) if data else []

    def finish_table(self) -> None:
        """Write the newest frame, to which nothing more comes."""
        if self._table and self._newest:
            self._table.frame(*self._newest)
        self._newest = None

    def _now(self) -> float:
        return time.monotonic() - self.started

    def _take(self, lines: list[str]) -> list[tuple[str, Frame | None]]:
        taken = []
        for line in lines:
            now = self._now()
            shown = tracebacks.placed(line)
            item = self.model.feed(now, shown)
            if self._recorder:
                self._recorder.line(now, line, item)
            frame = item if isinstance(item, Frame) else None
            if frame:
                self.finish_table()
                self._newest = (now, frame)
            if frame and not self.alert:
                self.alert = check_alerts(self._alerts, self.model)
                if self.alert and self._recorder:
                    self._recorder.notice(now, self.alert)
            taken.append((shown, frame))
        return taken


def check_alerts(alerts: list[Alert], model: Model) -> str:
    """The first condition that holds, in words; "" if none does."""
    for alert in alerts:
        fired = alert.fired(model)
        if fired:
            return fired
    return ""


def replay(path: Path, alerts: list[Alert], sinks: list[Sink] | None = None) -> tuple[Model, str]:
    """A whole recording in a model, and the first alert in it; the sinks get every frame."""
    model, fired = Model(), ""

    def watch() -> None:
        nonlocal fired
        fired = fired or check_alerts(alerts, model)

    Replay(path, model, sinks or [], watch if alerts else None).run()
    return model, fired


class PlainLines:
    """A sink that prints every frame in its short form."""

    def frame(self, t: float, frame: Frame) -> None:
        """One line."""
        sys.stdout.write(f"{plain_line('', frame)}\n")

    def batch(self, batch: Batch) -> None:
        """Many lines."""
        rows = zip(
            batch.seqs.tolist(), batch.t_ms.tolist(), batch.phases, batch.known(), strict=True
        )
        sys.stdout.write(
            "".join(
                f"frame {seq} t={t_ms / 1000:.1f}s {phase} {values}\n"
                for seq, t_ms, phase, values in rows
            )
        )


def plain_line(line: str, frame: Frame | None) -> str | None:
    """What --plain prints for a console line: frames in one short form, logs as they are read."""
    if frame is not None:
        values = " ".join(f"{k}={v}" for k, v in frame.values.items() if v is not None)
        phase = visible.line(frame.phase)
        return f"frame {frame.seq} t={frame.t_ms / 1000:.1f}s {phase} {values}"
    if is_human(line) or not line.strip():
        return None
    return visible.line(line)


def summary(model: Model) -> str:
    """One line at the end."""
    stream = model.stream
    low = model.lowest("gc_free")
    parts = [
        f"{model.frame_count:,} frames, {model.mark_count:,} events",
        f"{stream.missing} missing, {stream.damaged} damaged, {stream.reboots} reboots",
    ]
    if low is not None:
        parts.append(f"lowest GC free {low:,} B")
    return "; ".join([*parts, model.reading()])


def _run_plain(monitor: Monitor, end: float | None) -> None:
    out = sys.stdout
    while not monitor.alert and (end is None or time.monotonic() < end):
        try:
            lines = monitor.step()
        except EOFError:
            break
        for line, frame in lines:
            shown = plain_line(line, frame)
            if shown is not None:
                out.write(shown + "\n")
        out.flush()


def _run_screen(monitor: Monitor, source: Source, console: Console, end: float | None) -> None:
    def picture() -> object:
        state = "" if source.connected else "port lost, waiting for it"
        return screen.screen(
            monitor.model, console, title=source.name, state=state, alert=monitor.alert
        )

    with Live(console=console, screen=True, auto_refresh=False) as live:
        drawn = 0.0
        while not monitor.alert and (end is None or time.monotonic() < end):
            try:
                monitor.step()
            except EOFError:
                break
            if time.monotonic() - drawn >= REFRESH_S:
                live.update(picture(), refresh=True)  # type: ignore[arg-type]
                drawn = time.monotonic()
    console.print(picture())


@click.command("monitor")
@click.option("--port", "-p", envvar="PORT", help="Serial port, socket://…, pty, log file or `-`.")
@click.option("--baud", default=BAUD, show_default=True, envvar="BAUD")
@click.option("--record", type=click.Path(path_type=Path), help="Write every line to FILE.jsonl.")
@click.option("--replay", "replay_path", type=click.Path(path_type=Path), help="Show a recording.")
@click.option("--csv", "csv_path", type=click.Path(path_type=Path), help="Frames as a table.")
@click.option("--plot", "plot_path", type=click.Path(path_type=Path), help="FILE.png or .svg.")
@click.option("--plain", is_flag=True, help="Lines instead of a screen (the default in a pipe).")
@click.option("--alert", "alert_texts", multiple=True, help="Stop with status 3, as free<20000.")
@click.option("--for", "seconds", type=float, help="Stop after so many seconds.")
@click.option(
    "--svg", "svg_path", type=click.Path(path_type=Path), help="The screen as a picture."
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def monitor_command(
    port: str | None,
    baud: int,
    record: Path | None,
    replay_path: Path | None,
    csv_path: Path | None,
    plot_path: Path | None,
    plain: bool,
    alert_texts: tuple[str, ...],
    seconds: float | None,
    svg_path: Path | None,
    command: tuple[str, ...],
) -> None:
    """Watch a running gateway's memory; listens only.

    With a COMMAND (after --) that is started and its console is watched.
    """
    alerts = [Alert.parse(text) for text in alert_texts]
    console = Console()
    on_screen = not plain and console.is_terminal
    title = replay_path.name if replay_path else ""
    table = recording.CsvTable(csv_path) if csv_path else None
    if replay_path:
        show = plain or not (csv_path or plot_path or svg_path)
        sinks: list[Sink] = [table] if table else []
        if show and not on_screen:
            sinks.append(PlainLines())
        model, alert = replay(replay_path, alerts, sinks)
        if show and on_screen:
            console.print(screen.screen(model, console, title=title, alert=alert))
        else:
            click.echo(summary(model), err=True)
    else:
        source = (
            serial_io.PipeSource.run(list(command))
            if command
            else serial_io.open_source(serial_io.choose_port(port, ask_port), baud)
        )
        title = source.name
        recorder = _recorder(record, title)
        monitor = Monitor(source, recorder=recorder, alerts=alerts, table=table)
        end = time.monotonic() + seconds if seconds else None
        try:
            if on_screen:
                _run_screen(monitor, source, console, end)
            else:
                _run_plain(monitor, end)
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            source.close()
            if recorder:
                recorder.close()
        monitor.finish_table()
        model, alert = monitor.model, monitor.alert
        click.echo(summary(model), err=True)
    if table:
        table.close()
        click.echo(f"wrote {csv_path}: {table.count} frames", err=True)
    if plot_path:
        from host_tools.monitor import plots

        plots.plot(model, plot_path, f"copepod memory: {title}")
        click.echo(f"wrote {plot_path}", err=True)
    if svg_path:
        _export_svg(model, title, svg_path, alert)
    if alert:
        click.echo(alert, err=True)
        sys.exit(ALERT_STATUS)


def _recorder(path: Path | None, source: str) -> recording.Recorder | None:
    if path is None:
        return None
    try:
        return recording.Recorder(path, source)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _export_svg(model: Model, title: str, path: Path, alert: str) -> None:
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=104, height=28, file=nowhere, force_terminal=True)
        console.print(screen.screen(model, console, title=title, alert=alert, height=27))
        console.save_svg(str(path), title="copepod monitor")
    click.echo(f"wrote {path}", err=True)
