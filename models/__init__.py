"""In what order, and what is measured."""
