"""What every stage uses: types, names, source spans, diagnostics, text scanning, word arithmetic, bitsets, graphs."""
