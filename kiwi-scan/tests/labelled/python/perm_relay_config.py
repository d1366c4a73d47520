import json
import stat
from pathlib import Path

CONFIG = Path("/etc/relay/relay.json")
MODE = stat.S_IRUSR | stat.S_IWUSR


def write_config(values: dict) -> None:
    CONFIG.touch(mode=0o600, exist_ok=True)
    CONFIG.write_text(json.dumps(values, indent=2))
    CONFIG.chmod(MODE)


def read_config() -> dict:
    return json.loads(CONFIG.read_text())
