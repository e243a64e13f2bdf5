import os
import subprocess
import sys

os.environ["PYTHONHASHSEED"] = "0"
print(subprocess.check_output([sys.executable, "-c", "print(hash('cat.png'))"]))
