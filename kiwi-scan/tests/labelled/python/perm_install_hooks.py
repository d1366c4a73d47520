import os
import shutil
from pathlib import Path

HOOK_DIR = Path("/usr/local/lib/deploy/hooks")


def install(source: Path) -> Path:
    HOOK_DIR.mkdir(parents=True, exist_ok=True)
    target = HOOK_DIR / source.name
    shutil.copyfile(source, target)
    os.chmod(target, 0o777)
    return target


if __name__ == "__main__":
    for item in sorted(Path("hooks").glob("*.sh")):
        install(item)
