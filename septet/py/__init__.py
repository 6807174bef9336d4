"""Functions of IR as callables of Python: what makes a program hosted, the stubs that Python calls, and how they are loaded."""
