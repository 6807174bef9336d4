"""The passes: one file each, `run(function, facts) -> bool` changes that function alone and says whether it did.

`facts` (`base.facts.Facts`) has the program, for signatures and data alone, and the fuel: a pass asks `facts.fuel.spend()`
before each application and leaves the thing as it is where that is refused.
"""
