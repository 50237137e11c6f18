# Send a result whose numbers are larger than any number of a computer, and whose texts are no texts.
# earns: killed
import json
import os
import struct

body = json.dumps({
    "status": "ok", "lr_at_start_by_group": [], "lr_used_by_group": [], "lr_after_step_by_group": [], "losses": [],
    "warnings": [{"category": "\ud800", "message": "\x1b[31m\ud800", "line": 10**400}], "error": None,
    "asked": [{"value": {"\udfff": "\ud800"}}], "seconds": float("nan"), "peak_bytes": 10**400,
}).encode()  # fmt: skip
for descriptor in range(3, 64):
    try:
        os.write(descriptor, struct.pack("!I", len(body)) + body)
    except OSError:
        pass
os._exit(0)
