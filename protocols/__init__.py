"""The contracts: what they do, on rows of tables."""
