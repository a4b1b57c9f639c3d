"""The parts of a `machine` that pretends. On no board."""
