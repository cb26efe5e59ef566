"""Official formats to pack tables: one module a format."""
