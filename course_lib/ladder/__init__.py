"""The ladder: every model of the book on the same tasks, each beside its chance and its ceiling."""
