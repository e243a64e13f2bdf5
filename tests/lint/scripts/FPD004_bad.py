import random

deck = list(range(52))
random.shuffle(deck)
print(deck)
