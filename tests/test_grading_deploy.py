"""Specifications in deploy/: they parse, the commands are real, the settings are those needed."""

import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
IMAGE = "state-by-state-grader:0.1.0"


def load(name):
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def pods():
    """Name to pod, of scheduler and both kinds of workers."""
    cluster = load("dask-cluster.yaml")["spec"]
    return {
        "landlock": cluster["worker"]["spec"],
        "scheduler": cluster["scheduler"]["spec"],
        "bubblewrap": load("workers-bubblewrap.yaml")["spec"]["template"]["spec"],
    }


@pytest.fixture(params=["landlock", "scheduler", "bubblewrap"])
def pod(request):
    return pods()[request.param]


def options(command, args, folder):
    """What a program of Dask makes of its arguments; certificates are looked for in a folder."""
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (folder / name).touch()
    args = [arg.replace("/tls/", f"{folder}/") for arg in args]
    return command.make_context("dask", args).params


class TestKubernetes:
    def test_certificates_are_given_and_wanted(self, pod, tmp_path):
        (container,) = pod["containers"]
        name, *args = container["args"]
        assert container["command"] == ["dask"]
        command = {"worker": dask_worker.main, "scheduler": dask_scheduler.main}[name]
        given = options(command, args, tmp_path)
        assert given["tls_ca_file"].endswith("ca.pem") and given["tls_key"].endswith("key.pem")
        assert given["dashboard"] is False
        wanted = {"name": "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", "value": "True"}
        assert wanted in container["env"]
        assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in container["volumeMounts"]

    def test_nothing_runs_as_root_or_talks_to_the_cluster(self, pod):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"]
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert container["image"] == IMAGE

    @pytest.mark.parametrize("kind", ["landlock", "bubblewrap"])
    def test_workers_have_one_thread_and_a_doctor(self, kind, tmp_path):
        pod = pods()[kind]
        given = options(dask_worker.main, pod["containers"][0]["args"][1:], tmp_path)
        assert (given["nthreads"], given["n_workers"]) == (1, "1")
        assert given["scheduler"] == "tls://grading-scheduler:8786"
        (doctor,) = pod["initContainers"]
        assert doctor["command"] == ["course-grade", "doctor"]
        # The attacks must meet what the worker will have.
        assert doctor["securityContext"] == pod["containers"][0]["securityContext"]

    def test_service_is_what_workers_look_for(self):
        cluster = load("dask-cluster.yaml")
        assert f"{cluster['metadata']['name']}-scheduler" == "grading-scheduler"
        (port,) = cluster["spec"]["scheduler"]["service"]["ports"]
        assert port["port"] == 8786 and cluster["spec"]["scheduler"]["service"]["type"] == (
            "ClusterIP"
        )

    def test_landlock_needs_no_rights_and_bubblewrap_some(self):
        closed = pods()["landlock"]["containers"][0]["securityContext"]
        assert closed["seccompProfile"] == {"type": "RuntimeDefault"} and "procMount" not in closed
        pod = pods()["bubblewrap"]
        own = pod["containers"][0]["securityContext"]
        assert pod["hostUsers"] is False  # without it an unmasked /proc is refused
        assert own["procMount"] == "Unmasked"
        assert own["seccompProfile"] == own["appArmorProfile"] == {"type": "Unconfined"}


def test_image_has_what_both_sandboxes_need():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert IMAGE in text and "bubblewrap" in text and re.search(r"^USER 1000", text, re.MULTILINE)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert re.search(r"^FROM python:3\.11", text, re.MULTILINE) and version >= "3.11"
    pins = (DEPLOY.parent / "requirements.txt").read_text() + (
        DEPLOY.parent / "constraints.txt"
    ).read_text()
    names = re.search(r"numpy matplotlib .*(?= /source)", text).group().split()
    assert {"numpy", "ipython", "click", "dask", "distributed"} <= set(names)
    assert [name for name in names if not re.search(rf"^{name}==", pins, re.MULTILINE)] == []


def test_slurm_workers_are_encrypted_and_have_one_thread(monkeypatch, tmp_path):
    """With a stand-in for dask-jobqueue, which needs no place among our pins."""
    made = []
    jobqueue = SimpleNamespace(SLURMCluster=lambda **options: made.append(options))
    monkeypatch.setitem(sys.modules, "dask_jobqueue", jobqueue)
    spec = importlib.util.spec_from_file_location("slurm", DEPLOY / "slurm_cluster.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_cluster(tmp_path)
    (given,) = made
    assert (given["protocol"], given["cores"], given["processes"]) == ("tls", 1, 1)
    assert given["security"].require_encryption
    for role in ("worker", "scheduler", "client"):
        files = given["security"].get_tls_config_for_role(role)
        assert files["ca_file"] == str(tmp_path / "ca.pem")
        assert files["key"] == str(tmp_path / "key.pem")
    assert "course-grade doctor" in given["job_script_prologue"]
    options(dask_worker.main, ["tls://HOST:8786", *given["worker_extra_args"]], tmp_path)
