"""Register allocation: liveness, then linear scan (-O0, -O1) or colouring of an interference graph (-O2 and up)."""
