"""Builds ``data/france`` from pinned registry packages and a seed; see data/README.md."""
