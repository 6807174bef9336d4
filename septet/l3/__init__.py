"""L3: legal three-address operations on variables; each variable has one definition but for phi copies.

define @main() {
  %x <- 40 + 2
  %y <- tag %x
  call print(%y)
  return %y
}
"""
