"""Decoded arrays and texts to things to look at and data to use; numpy and Pillow only.

Arrays are those of one sample, `[C, H, W]`. What is made is a Pillow picture, or the bytes of a file; `save.py` writes.
"""
