# Start a process through multiprocessing.
# earns: error
import multiprocessing

process = multiprocessing.get_context("fork").Process(target=print)
process.start()
print("REACHED")
