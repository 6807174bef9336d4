"""Register allocation: liveness, then linear scan (-O0) or colouring of an interference graph (-O1 and up)."""
