"""L1: x86-64 instructions over registers and stack slots.

(@main
  (@main 0 0
    rdi <- 85
    call print 1
    return))
"""
