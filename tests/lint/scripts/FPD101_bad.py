from sklearn.model_selection import train_test_split

train, test = train_test_split(range(100), test_size=0.2)
print(train, test)
