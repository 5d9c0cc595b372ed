"""4M in torch: layers, embeddings, the encoder-decoder, loading, the training forward."""

import os

# With every step the model sees more tokens, and oneDNN keeps the code that it made for each number of them.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
# Weights lie in large pages, as far as the system has them: they are read from end to end all the time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
