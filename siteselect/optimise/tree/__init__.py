"""The exact search on few columns, compiled.

``simplex`` solves programmes, ``bound`` makes exact bounds of their multipliers, ``programme`` and
``separation`` give a node its rows, ``branching`` and ``nodes`` split it; ``planting`` sets a
search up and gives it room. :mod:`siteselect.optimise.treesearch` drives it.

Compiled functions are kept on disk by the date of their own file alone: whoever changes one deletes
the ``__pycache__`` folders of this package (the tests do).
"""
