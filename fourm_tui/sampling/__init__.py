"""From a model, conditions and a plan to tokens: MaskGIT, ROAR and autoregressive decoding with guidance.

Deviations from ml-4m: every sample of a batch has its own random numbers, so batches change nothing; rows of a batch
end one by one; greedy MaskGIT ranks positions by the probability of their token instead of by accident.
"""
