weight = 1.0
for step in range(1000):
    weight -= 1e-7 * (weight + 1)
print(weight.hex())
