"""Python's process pools, two processes each, as a program that runs from start to exit.

python3 pool.py pool|executor echo INPUT.jsonl OUTPUT.jsonl CHUNK
python3 pool.py pool|executor sleep COUNT SECONDS

`echo` maps over the lines of a file and writes a JSON line for each result; `sleep` sleeps COUNT
times. Prints the seconds from the first task to the last result.
"""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool

WORKERS = 2


def echo(task):
    index, line = task
    return index, json.loads(line)


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def mapped(kind, function, inputs, chunk):
    if kind == "pool":
        with Pool(WORKERS) as pool:
            yield from pool.imap_unordered(function, inputs, chunksize=chunk)
    else:
        with ProcessPoolExecutor(WORKERS) as executor:
            yield from executor.map(function, inputs, chunksize=chunk)


def main(kind, what, *args):
    began = time.perf_counter()
    count = 0
    if what == "sleep":
        inputs = [float(args[1])] * int(args[0])
        for _ in mapped(kind, sleep, inputs, 1):
            count += 1
    else:
        with open(args[0]) as lines, open(args[1], "w") as output:
            for index, value in mapped(kind, echo, enumerate(lines), int(args[2])):
                result = {"index": index, "status": "ok", "output": value}
                output.write(json.dumps(result) + "\n")
                count += 1
    print(json.dumps({"seconds": time.perf_counter() - began, "count": count}))


if __name__ == "__main__":
    main(*sys.argv[1:])
