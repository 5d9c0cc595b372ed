"""FID, Inception Score and CLIP score of generated pictures, with the extra `metrics`.

`wanted` says which of them a chain allows, `weights` checks before a run that everything for them is there,
`networks` loads it, and `figures` gathers what is needed of each picture, chunk by chunk, and computes.
"""
