"""Written by `copepod build`: when that was."""

DAY: int  # days since 1970-01-01
