import os

os.environ["PYTHONHASHSEED"] = "0"
key = ("cat.png",)
print(hash(key))  # noqa: FPD202
