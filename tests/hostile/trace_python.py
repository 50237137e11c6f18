# Watch the functions that run after the program, for the expected value.
# earns: ok
import sys

wanted = "swonk-rosivrepus-eht-ylno"[::-1]


def trace(frame, event, argument):
    if frame.f_code.co_filename != "<program>" and "wanted" not in frame.f_locals and wanted in repr(argument):
        print("REACHED", frame.f_code.co_name)
    return trace


sys.settrace(trace)
