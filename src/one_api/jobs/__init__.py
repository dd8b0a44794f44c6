"""What has to be done every now and then: plain coroutines, run by each process or by one of all."""

from one_api.jobs.leases import Lease
from one_api.jobs.runner import Job, Runner

__all__ = ["Job", "Lease", "Runner"]
