"""The classic task and result queues of Python's multiprocessing.managers.BaseManager.

python3 basemanager.py N CLIENTS

A server publishes a bounded task queue and a result queue on a port behind an authkey; CLIENTS
processes connect, take a task, compute (echo), and put the result back with its run time; the
server collects all N. Prints one JSON object: {"tasks", "seconds", "clients"}, where seconds runs
from the first task put to the last result taken, all clients being connected already, and clients
counts the results of each.

Written to the baseline's advantage: the server's own end uses the queues directly instead of
through a proxy, and neither process start nor connecting is in the time.
"""

import json
import sys
import time
from multiprocessing import Process
from multiprocessing.managers import BaseManager
from queue import Queue
from threading import Thread

AUTHKEY = b"fanfold-bench"
TASK_QUEUE_SIZE = 1_000


class QueueManager(BaseManager):
    pass


def client(address, number):
    QueueManager.register("get_task_queue")
    QueueManager.register("get_result_queue")
    manager = QueueManager(address=address, authkey=AUTHKEY)
    manager.connect()
    tasks = manager.get_task_queue()
    results = manager.get_result_queue()
    results.put(("ready", number))
    while True:
        task = tasks.get()
        if task is None:
            return
        index, value = task
        began = time.perf_counter()
        output = value  # echo
        results.put((index, output, time.perf_counter() - began, number))


def echo_input(index):
    return {"id": index, "name": f"item {index}", "size": index % 1000}


def serve(count, clients):
    task_queue = Queue(TASK_QUEUE_SIZE)
    result_queue = Queue()
    QueueManager.register("get_task_queue", callable=lambda: task_queue)
    QueueManager.register("get_result_queue", callable=lambda: result_queue)
    server = QueueManager(address=("127.0.0.1", 0), authkey=AUTHKEY).get_server()
    # Daemons, so that a server that gives up does not wait for clients that wait for it.
    processes = [
        Process(target=client, args=(server.address, n), daemon=True) for n in range(clients)
    ]
    # Before the serving thread exists: a fork copies no thread, and may copy a lock that one holds.
    for process in processes:
        process.start()
    Thread(target=server.serve_forever, daemon=True).start()
    for _ in processes:
        result_queue.get(timeout=30)

    def put_tasks():
        for index in range(count):
            task_queue.put((index, echo_input(index)))
        for _ in processes:
            task_queue.put(None)

    began = time.perf_counter()
    Thread(target=put_tasks, daemon=True).start()
    seen = set()
    shares = [0] * clients
    for _ in range(count):
        index, output, _run_time, number = result_queue.get(timeout=60)
        if output != echo_input(index):
            sys.exit(f"A client answered input {index} with {output!r}.")
        seen.add(index)
        shares[number] += 1
    seconds = time.perf_counter() - began
    if seen != set(range(count)):
        sys.exit(f"{count} different results were expected, {len(seen)} came.")
    for process in processes:
        process.join(timeout=10)
    print(json.dumps({"tasks": count, "seconds": seconds, "clients": shares}))


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
