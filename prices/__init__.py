"""Price processes and where their randomness comes from: pure functions and frozen dataclasses on arrays; no scenario, no market."""
