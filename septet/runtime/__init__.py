"""What a program finds when it runs: print, input, allocate and the run-time errors.

`model` is their behaviour in Python, for every interpreter; the `.ir` and `.L1` files are the same for native programs, in
Septet's own languages on bare system calls, and `image` makes one block of machine code of them.
"""
