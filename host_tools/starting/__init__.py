"""`copepod new`: the folder of a bot of one's own."""
