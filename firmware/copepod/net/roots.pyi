"""Written by `copepod build`: the bundled root certificates."""

DER: tuple[bytes, ...]
