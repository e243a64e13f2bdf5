import pandas as pd

frame = pd.DataFrame({"a": range(100)})
print(frame.sample(frac=1)["a"].tolist())
