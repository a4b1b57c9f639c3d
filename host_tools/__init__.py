"""Host side of Copepod: build, simulate, measure, flash and watch."""
