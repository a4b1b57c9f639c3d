"""The live screen, recordings and plots."""
