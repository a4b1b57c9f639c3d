"""Written by `copepod build`: the bundled root certificate, a tuple of one."""

DER: tuple[bytes, ...]
