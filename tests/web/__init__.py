"""Every page of both faces: what it weighs, how it looks, and what is written into it by others."""
