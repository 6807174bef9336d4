"""What operations mean: one row an opcode, shared by LA, IR and L3; and the statements that LB and LA share."""
