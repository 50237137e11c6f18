"""Takes the place of a package that jsonschema imports where it is there: its import builds a parser, for a second.

The tests start a hundred processes of nbgrader and Jupyter, and nobody in them checks internationalized addresses.
"""

raise ImportError("not in the tests")
