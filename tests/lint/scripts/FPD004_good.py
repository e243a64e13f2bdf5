import random

random.seed(0)
deck = list(range(52))
random.shuffle(deck)
print(deck)
