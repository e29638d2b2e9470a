"""What is asked: scenario files, price paths, populations, and the market built from them."""
