"""Grading a class with nbgrader's own conversion, several submissions at a time.

`worker` is a process that has imported nbgrader once and grades one submission after another; `crew` keeps some of
them busy; `journal` remembers what is done, so that what was cut off is done again and what is unchanged is not.
"""
