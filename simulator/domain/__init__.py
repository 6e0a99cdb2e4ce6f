"""The rules of paying and refunding by bank; standard library only."""
