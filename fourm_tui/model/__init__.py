"""4M in torch: layers, embeddings, the encoder-decoder, loading, the training forward."""
