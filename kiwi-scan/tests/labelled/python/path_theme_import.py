import os
import zipfile

from django.http import JsonResponse
from django.views.decorators.http import require_POST

THEME_ROOT = "/srv/themes/custom"


@require_POST
def import_theme(request):
    upload = request.FILES["theme"]
    with zipfile.ZipFile(upload) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            target = os.path.join(THEME_ROOT, info.filename)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(info) as src, open(target, "wb") as dst:
                dst.write(src.read())
    return JsonResponse({"ok": True})
