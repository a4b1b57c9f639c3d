"""What holds for all tests: what they start heeds SIGINT."""

from __future__ import annotations

import signal
# Where they are started in the background of a script SIGINT is ignored, by everything that they start, too; what
# has a handler is begun anew by exec, and this one ignores it as before.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda *_: None)
