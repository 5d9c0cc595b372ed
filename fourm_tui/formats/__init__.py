"""The string formats of 4M's sequence modalities: numbers to strings of the text vocabulary and back, without torch.

Each file offers `encode` (values to a string as 4M was trained on), `decode` (a generated string to values; what is
malformed is left out), and where people write such things by hand `read` and `native` (what a person gives, checked,
as values and as a string).
"""
