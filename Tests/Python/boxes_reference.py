"""Where boxes of a model are after some steps, from each of several starts.

On standard input {"xml": ..., "starts": [[qpos...], ...], "steps": n}; on standard output one qpos a start.
"""

import json
import sys

import mujoco

question = json.load(sys.stdin)
model = mujoco.MjModel.from_xml_string(question["xml"])
data = mujoco.MjData(model)
answers = []
for start in question["starts"]:
    mujoco.mj_resetData(model, data)
    data.qpos[:] = start
    mujoco.mj_step(model, data, question["steps"])
    answers.append(data.qpos.tolist())
json.dump(answers, sys.stdout)
