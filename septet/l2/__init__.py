"""L2: x86-64 instructions over any number of variables.

(@main
  (@main 0
    %x <- 40
    %x += 2
    return))
"""
