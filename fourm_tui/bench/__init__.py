"""How fast this machine runs a chain, stage by stage, and how near its limits that is."""
