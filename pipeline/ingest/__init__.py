"""From an office's raw exports to the contract's tables: freeze, read, map, land, and count every row."""
