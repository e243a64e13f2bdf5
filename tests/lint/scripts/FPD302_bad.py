import os
import subprocess
import sys

os.environ["PYTHONASHSEED"] = "0"
print(subprocess.check_output([sys.executable, "-c", "print(hash('cat.png'))"]))
