"""4M in torch: layers, embeddings, the encoder-decoder, loading, the training forward."""

import os

# With every step the model sees more tokens, and oneDNN keeps the code that it made for each number of them.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
