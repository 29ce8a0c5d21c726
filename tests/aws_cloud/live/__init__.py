"""What answers for deployed functions: bareboat's own local cloud, on the archives that were uploaded."""
