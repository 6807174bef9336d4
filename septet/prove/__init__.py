"""Whether the compiler is right: proofs of rules, and which step makes a program wrong."""
