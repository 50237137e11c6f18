# Fill all scratch space that there is, and stay there for a while.
# earns: ok or timeout
import time

for number in range(4):
    try:
        with open(str(number), "wb") as file:
            file.write(b"\1" * (60 << 20))
    except OSError:
        pass
end = time.monotonic() + 0.5
while time.monotonic() < end:
    pass
