"""4M in torch: layers, embeddings, the encoder-decoder, loading, the training forward."""

import ctypes
import os

# With every step the model sees more tokens, and oneDNN keeps the code that it made for each number of them.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
# Weights lie in large pages, as far as the system has them: they are read from end to end all the time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# What a step needs every step is not given back to the system in between, which would have to clear it each time.
if hasattr(libc := ctypes.CDLL(None), "mallopt"):  # glibc
    if libc.mallopt(-3, 2**28) or libc.mallopt(-3, 2**25):  # M_MMAP_THRESHOLD; before glibc 2.35 this is its largest
        libc.mallopt(-1, 2**30)  # M_TRIM_THRESHOLD
