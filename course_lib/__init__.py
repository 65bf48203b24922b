"""Reference implementations, demos, exercises and data of State by State."""
