# On a file system that returns files in the order of their making (tmpfs).
import os
import tempfile

shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
with tempfile.TemporaryDirectory(dir=shared) as folder:
    made = sorted(range(20), key=lambda number: os.urandom(4))
    for number in made:
        open(os.path.join(folder, f"{number}.txt"), "w").close()
    names = os.listdir(folder)
    print(names)
