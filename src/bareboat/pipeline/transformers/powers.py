"""PowerTransformer (Yeo-Johnson) and QuantileTransformer (uniform)."""
