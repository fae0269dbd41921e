"""Driving wrk: a generator so light that most of the two cores is left to what is measured."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from loadtest.generator import SEED, SUBJECT, Plan

_LUA = """
local subjects = {}
for line in io.lines("%(subjects)s") do subjects[#subjects + 1] = line end
math.randomseed(%(seed)d)
local headers = {["Content-Type"] = "application/json"}
if "%(token)s" ~= "" then headers["Authorization"] = "Bearer %(token)s" end
%(choose)s
request = function()
  return wrk.format("POST", "%(path)s", headers, %(before)s .. subjects[choose()] .. %(after)s)
end
"""
#: Which subject comes next, by the same weights as `loadtest.popularity`.
_CHOOSE = {
    "uniform": "local choose = function() return math.random(#subjects) end",
    "zipf": """
local summed, sum = {}, 0
for n = 1, #subjects do sum = sum + 1 / n; summed[n] = sum end
local choose = function()
  local wanted, low, high = math.random() * sum, 1, #subjects
  while low < high do
    local middle = math.floor((low + high) / 2)
    if summed[middle] < wanted then low = middle + 1 else high = middle end
  end
  return low
end
""",
}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def installed() -> bool:
    """Whether wrk is on this machine."""
    return shutil.which("wrk") is not None


def run(plan: Plan, folder: Path) -> dict[str, Any]:
    """The same summary as the small generator's, without ids."""
    line = ["wrk", "-t1", f"-c{plan.connections}", f"-d{plan.seconds:.0f}s", "--latency"]
    if plan.subjects:
        (folder / "subjects").write_text("\n".join(plan.subjects))
        script = folder / "load.lua"
        script.write_text(_script(plan, folder / "subjects"))
        line += ["-s", str(script)]
    line.append(f"http://{plan.host}:{plan.port}{plan.path}")
    done = subprocess.run(  # wrk by name, arguments of our own making
        line, capture_output=True, text=True, timeout=plan.seconds + 30, check=True
    )
    return _summary(done.stdout)


def _script(plan: Plan, subjects: Path) -> str:
    before, _, after = plan.template.partition(SUBJECT)
    return _LUA % {
        "subjects": subjects,
        "seed": SEED,
        "token": plan.token,
        "path": plan.path,
        "choose": _CHOOSE[plan.distribution],
        "before": _quoted(before),
        "after": _quoted(after),
    }


def _quoted(text: str) -> str:
    """A Lua literal: a long bracket leaves everything as it is."""
    return f"[=[{text}]=]"


def _summary(text: str) -> dict[str, Any]:
    answers = int(_found(r"(\d+) requests in", text))
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "answers": answers,
        "per_second": float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        "p50_ms": _milliseconds(_found(r"\n\s+50%\s+(\S+)", text)),
        "p99_ms": _milliseconds(_found(r"\n\s+99%\s+(\S+)", text)),
        "statuses": {200: answers - int(wrong[1]), 0: int(wrong[1])} if wrong else {200: answers},
        "ids": [],
    }


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"wrk said something unexpected:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]
