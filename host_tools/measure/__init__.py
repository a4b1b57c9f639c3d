"""Memory measured, audited, compared and reported."""
