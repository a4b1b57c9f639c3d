"""firmware/ → the tree that a board gets, and the package for mip."""
