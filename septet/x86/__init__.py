"""Facts about the machine: registers, instruction forms, encoding, the calling convention, what instructions do and cost."""
