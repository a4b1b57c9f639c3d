"""The bytes of a console: frames, ports, what may be shown."""
