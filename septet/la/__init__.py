"""LA: typed and flat, one operation a line, values still abstract.

int64 main() {
  int64 x
  x <- 40 + 2
  print(x)
  return 0
}
"""
