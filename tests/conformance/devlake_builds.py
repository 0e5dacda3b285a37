"""Jenkins and CircleCI as DevLake derived them: the commits of builds, stages, and jobs.

The differences, none of which counts as a failure:

- DevLake takes every build, stage and job for a task. Leadline tells those whose names say that they deploy, here all.
- DevLake gives a stage the result of its build, and a stage that failed or was aborted no end to its status. Leadline
  tells a stage by its own status, and quarantines one that has none.
- DevLake cuts the beginning of a build or a stage to the second; the end of a build, which is reckoned from it, is too
  early by as much.
- DevLake keeps a branch as git names it (`refs/remotes/origin/main`). Leadline has its plain name.
- DevLake counts an aborted build as failed. Leadline tells it as cancelled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from connectors.circleci import CONNECTOR as CIRCLECI
from connectors.jenkins import CONNECTOR as JENKINS
from pipeline.events.delivery import Connector
from pipeline.events.types import DeploymentEvent, PipelineRun
from tests.conformance.devlake_rows import Cells, agree, key_of, rows, when
from tests.conformance.told import Row, Told, same, table, tell

#: Every stage and job deploys, and no job as a whole.
_ALL = {"deployment_pattern": ".*", "deployment_run_pattern": "^$", "rollback_pattern": "^$"}
_STAGES = {"SUCCESS": ".deployed.", "FAILED": ".failed.", "ABORTED": ".cancelled."}
_JOBS = {"SUCCESS": ".deployed.", "FAILURE": ".failed."}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each of DevLake's tables."""
    return [
        *(_commits(root / "raw_api/jenkins", suffix) for suffix in ("", "_multibranch")),
        *(_builds(root / "raw_api/jenkins", suffix) for suffix in ("", "_multibranch")),
        _stages(root / "raw_api/jenkins"),
        _jobs(root / "raw_api/circleci"),
    ]


def _told(folder: Path, suffix: str) -> dict[str, Told]:
    """Return what was told of each build, by its job and number: `folder/job#7`."""
    found = {}
    for raw in table(folder / f"raw_tables/_raw_jenkins_api_builds{suffix}.csv"):
        build, job = json.loads(raw["data"]), json.loads(raw["params"])["FullName"]
        if suffix:  # The parameters name the project; the branch is the last part of the displayed name.
            job += "/" + build["fullDisplayName"].rpartition(" #")[0].rpartition("» ")[2]
        where = f"{job}#{build['number']}"
        found[where] = tell(JENKINS, where, "rest.builds", raw["data"].encode(), {"x-leadline-job": job})
    return found


def _commits(folder: Path, suffix: str) -> Row:
    builds, name = _told(folder, suffix), f"jenkins commits of builds as DevLake has them{suffix.replace('_', ' ')}"

    def mistakes(item: Told, cells: Cells) -> list[str]:
        runs = item.data(PipelineRun)
        found = same("commit_sha", {run.sha for run in runs}, {cells["commit_sha"]})
        plain = cells["branch"].removeprefix("refs/remotes/").removeprefix("origin/")
        return found + same("branch", {run.branch for run in runs}, {plain})

    expected = rows(folder / f"snapshot_tables/cicd_pipeline_commits{suffix}.csv")
    return agree(name, expected, lambda cells: builds.get(key_of(cells["pipeline_id"])), mistakes)


def _builds(folder: Path, suffix: str) -> Row:
    """Builds as tasks: when each began and ended."""
    builds, name = _told(folder, suffix), f"jenkins builds as tasks of DevLake's{suffix.replace('_', ' ')}"

    def mistakes(item: Told, cells: Cells) -> list[str]:
        ended = item.finished_runs()
        if cells["status"] != "DONE":
            return same("finished", ended, [])
        ((end, _),) = ended
        (began,) = [event.time for event in item.events if ".pipelinerun.started." in event.type]
        cut = timedelta(microseconds=began.microsecond)
        found = same("started_date", began - cut, when(cells["started_date"]))
        return found + same("finished_date", end.time - cut, when(cells["finished_date"]))

    expected = rows(folder / f"snapshot_tables/cicd_tasks{suffix}.csv")
    note = "a build begins at a whole second there, and so ends too early"
    return agree(name, expected, lambda cells: builds.get(key_of(cells["id"])), mistakes, note)


def _stages(folder: Path) -> Row:
    """Stages, which DevLake's data has as it read them; put into the words of the API again."""
    stages = {cells["_raw_data_id"]: cells for cells in rows(folder / "raw_tables/_tool_jenkins_stages.csv")}

    def mistakes(read: Cells, cells: Cells) -> list[str]:
        item = tell(JENKINS, read["id"], "rest.stages", json.dumps(_stage(read)).encode(), settings=_ALL)
        if not read["status"]:
            return same("result", item.result, "quarantined:missing_field")
        end = item.events[-1]
        assert isinstance(end.data, DeploymentEvent)
        found = [] if _STAGES[read["status"]] in end.type else [f"{end.type} for {read['status']}"]
        found += same("done", read["status"] == "SUCCESS", cells["status"] == "DONE")
        begun = end.data.started_at
        found += same("started_date", begun and begun.replace(microsecond=0), when(cells["started_date"]))
        return found + same("finished_date", end.time, when(cells["finished_date"]))

    expected = rows(folder / "snapshot_tables/cicd_tasks_after_stages.csv")
    note = "there a stage has the result of its build; one without a status is quarantined here"
    name = "jenkins stages as DevLake has them"
    return agree(name, expected, lambda cells: stages.get(cells["_raw_data_id"]), mistakes, note)


def _stage(read: Cells) -> Mapping[str, object]:
    job, _, number = read["build_name"].rpartition("#")
    path = "/job/".join(["", *job.split("/")])
    return {
        "_links": {"self": {"href": f"{path}/{number}/execution/node/{read['id']}/wfapi/describe"}},
        "id": read["id"],
        "name": read["name"],
        "status": read["status"],
        "startTimeMillis": int(read["start_time_millis"]),
        "durationMillis": int(read["duration_millis"]),
    }


def _jobs(folder: Path) -> Row:
    jobs = {item.body["id"]: item for item in _answers(CIRCLECI, folder / "raw_tables/_raw_circleci_api_jobs.csv")}

    def mistakes(item: Told, cells: Cells) -> list[str]:
        end = item.events[-1]
        assert isinstance(end.data, DeploymentEvent)
        found = [] if _JOBS[cells["result"]] in end.type else [f"{end.type} for {cells['result']}"]
        found += same("started_date", end.data.started_at, when(cells["started_date"]))
        return found + same("finished_date", end.time, when(cells["finished_date"]))

    expected = rows(folder / "snapshot_tables/cicd_tasks.csv")
    note = "all jobs taken for deployments"
    name = "circleci jobs as DevLake has them"
    return agree(name, expected, lambda cells: jobs.get(key_of(cells["id"])), mistakes, note)


def _answers(connector: Connector, path: Path) -> Iterator[Told]:
    for raw in table(path):
        yield tell(connector, raw["id"], "rest.jobs", raw["data"].encode(), settings=_ALL)
