"""What the API costs with ten thousand merchants, one of whom has a million orders."""
