# Look for secrets in the environment.
# earns: ok
import os

if SECRET in str(dict(os.environ)) or "GRADER_DB" in os.environ:
    print("REACHED")
