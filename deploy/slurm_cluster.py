"""Scheduler here, workers as Slurm jobs, by dask-jobqueue (https://jobqueue.dask.org).

Run on the login node, with the environment in which the assignment was released, and leave it
running; grade in a second terminal with the address that it prints:

    python deploy/slurm_cluster.py --jobs 8 --tls TLS_FOLDER
    course-grade run NAME --dask ADDRESS --tls-ca TLS_FOLDER/ca.pem ...

The folder holds ca.pem, cert.pem and key.pem (README.md) and must be readable on the nodes. Another
batch system: take its class in place of SLURMCluster (PBSCluster, SGECluster, LSFCluster, ...).
"""

import argparse
import signal
from pathlib import Path

from dask_jobqueue import SLURMCluster
from distributed import Security


def make_cluster(tls, memory="3GB", walltime="04:00:00"):
    """Return a cluster without jobs yet; every connection is encrypted, on both sides."""
    ca, cert, key = (str(Path(tls, name).resolve()) for name in ("ca.pem", "cert.pem", "key.pem"))
    parts = {f"tls_{who}_cert": cert for who in ("client", "scheduler", "worker")}
    parts |= {f"tls_{who}_key": key for who in ("client", "scheduler", "worker")}
    return SLURMCluster(
        cores=1,  # threads of a worker: it grades one submission at a time
        processes=1,
        memory=memory,  # of the job: the sandbox may take 1 GB, with torch 2 GB
        walltime=walltime,
        protocol="tls",
        security=Security(tls_ca_file=ca, require_encryption=True, **parts),
        local_directory="/tmp",
        # Students' code must be held on that node too, or its worker does not start.
        job_script_prologue=["set -e", "course-grade doctor"],
        worker_extra_args=["--memory-limit", "0", "--no-dashboard"],
        scheduler_options={"dashboard": False},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--tls", required=True, help="folder with ca.pem, cert.pem and key.pem")
    options = parser.parse_args()
    with make_cluster(options.tls) as cluster:
        cluster.scale(jobs=options.jobs)
        print(cluster.scheduler_address, flush=True)
        signal.sigwait([signal.SIGINT, signal.SIGTERM])


if __name__ == "__main__":
    main()
