import json
import os

STATE_FILE = "/tmp/nightly_job_state.json"


def load_state() -> dict:
    if not os.path.exists(STATE_FILE):
        return {"last_id": 0}
    with open(STATE_FILE) as handle:
        return json.load(handle)


def save_state(last_id: int) -> None:
    with open(STATE_FILE, "w") as handle:
        json.dump({"last_id": last_id}, handle)
