import json
import os
import tempfile

RESULT_FILE = "/var/lib/nightly/result.json"


def save_result(result: dict) -> None:
    fd, name = tempfile.mkstemp(dir=os.path.dirname(RESULT_FILE), suffix=".tmp")
    try:
        with os.fdopen(fd, "w") as handle:
            json.dump(result, handle)
        os.replace(name, RESULT_FILE)
    except BaseException:
        os.unlink(name)
        raise
