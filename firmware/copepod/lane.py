"""A handler that goes on beside the others', see parallel.py. Memory: kept while there is one."""

import asyncio

from copepod.once import forget


class Lane:
    """To the supervisor a Job as the others; it ends with its message."""

    state = 0  # in worker.asides: it has not been answered

    def __init__(self, worker, job, limit):
        self.worker = worker
        self.limit = limit  # handling.limit()
        self.chat_id = worker.msg.chat_id
        self.error = None
        self.task = job.task
        self.job = job  # whose coroutine runs in the task, and says there how it ends

    def parked(self):
        """What is to be done for it once a second; False: nothing is left to do."""
        worker = self.worker
        try:
            if self.job.error is not None:
                self._end(worker)
                return False
            if worker.handling:
                self.limit(worker.gateway, self.task, worker)
                if worker.stuck:
                    worker.gateway.worker.stuck = True
            if self.job.parked():
                from copepod import failures

                failures.unpark(worker, self.job)
                forget("copepod.failures")
        except MemoryError:  # there may be some in a second
            pass
        return False

    def _end(self, worker):
        gateway = worker.gateway
        gateway.jobs = tuple([job for job in gateway.jobs if job is not self])
        if len(gateway.jobs) == 2:
            forget("copepod.lane")
        for entry in worker.asides:
            if entry[2] is self:
                worker.asides.remove(entry)
                break
        gateway.wake_worker.set()
        gateway.wake_channel.set()
        if worker.msg is not None:  # it has failed outside of the handler
            from copepod import failures

            failures.note(gateway, self.job.name, self.job.error)
            asyncio.create_task(failures.after_crash(worker))
            forget("copepod.failures")
