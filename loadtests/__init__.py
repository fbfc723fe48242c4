"""Everything that plays the world around the product: shoppers, providers, suppliers. Imports nothing of ours."""
