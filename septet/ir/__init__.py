"""IR: typed SSA in a graph of basic blocks, where optimisation happens, in two phases: `arrays`, then `words`.

define int64 @main() {
  :entry
  i64 %x <- 40 + 2
  int64 %y <- tag %x
  call print(%y)
  return %y
}
"""
