"""Between tokens and what they stand for: text, and (in torch) pictures, features, masks and poses."""
