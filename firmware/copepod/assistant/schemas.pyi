SCHEMAS: "tuple[tuple[str, bytes], ...]"
