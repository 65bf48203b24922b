"""Marking notebooks of strangers: their code answers questions, it never judges."""
