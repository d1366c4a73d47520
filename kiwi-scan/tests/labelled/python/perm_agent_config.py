import json
import stat
from pathlib import Path

CONFIG = Path("/etc/agent/agent.json")
MODE = stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


def write_config(values: dict) -> None:
    CONFIG.write_text(json.dumps(values, indent=2))
    CONFIG.chmod(MODE)


def read_config() -> dict:
    return json.loads(CONFIG.read_text())
