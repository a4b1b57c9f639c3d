"""The one error type whose text is meant for the person at the terminal."""

from __future__ import annotations


class UserError(Exception):
    """A problem that the user can mend: one line that names the place and the remedy."""
