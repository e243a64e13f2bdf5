words = "to be or not to be that is the question".split()
index = {}
for word in set(words):
    index[word] = len(index)
print([index[word] for word in words])
