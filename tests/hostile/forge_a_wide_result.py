# Send a result of the largest size, all of it brackets.
# earns: killed
import os
import struct

start = b'{"status":"ok","asked":['
body = start + b'{"value":[[[[[[[[]]]]]]]]},' * ((4_000_000 - len(start)) // 27) + b"]}"
message = struct.pack("!I", len(body)) + body
for descriptor in range(3, 64):
    sent = 0
    try:
        while sent < len(message):
            sent += os.write(descriptor, message[sent:])
    except OSError:
        pass
os._exit(0)
