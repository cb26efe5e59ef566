"""The embedded data pack and the code that builds it."""
