"""Bytes out: machine code with its relocations, laid out as an image, written as ELF, or loaded into this process."""
