import time

weight = 1.0
end = time.time() + 0.1
while time.time() < end:
    weight -= 1e-7 * (weight + 1)
print(weight.hex())
