"""Checks that readers run in a chapter: one line each, passed or the likely mistake."""
