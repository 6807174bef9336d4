"""LB: the source language, C-like, with scopes, `if`, `while`, arrays, tuples and functions as values.

void main() {
  int64 i
  while (i < 3) :body :done
  :body { print(i) i <- i + 1 continue }
  :done return
}
"""
