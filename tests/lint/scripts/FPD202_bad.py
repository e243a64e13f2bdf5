names = ["cat.png", "dog.png", "cow.png"]
print([hash(name) % 1000 for name in names])
