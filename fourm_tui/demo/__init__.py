"""The model in the box: a small world, the recipe that trains a 4M model on it, and what it can do."""
