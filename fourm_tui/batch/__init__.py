"""Bulk generation: a chain over a data set, on one device or many, that can be stopped anywhere and resumed."""
