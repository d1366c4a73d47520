import zipfile
from pathlib import Path

from django.http import HttpResponseBadRequest, JsonResponse
from django.views.decorators.http import require_POST

PLUGIN_ROOT = Path("/srv/plugins/custom").resolve()


@require_POST
def import_plugin(request):
    upload = request.FILES["plugin"]
    with zipfile.ZipFile(upload) as archive:
        for info in archive.infolist():
            target = (PLUGIN_ROOT / info.filename).resolve()
            if not target.is_relative_to(PLUGIN_ROOT):
                return HttpResponseBadRequest("invalid member")
            if info.is_dir() or info.file_size > 5_000_000:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as src, open(target, "wb") as dst:
                dst.write(src.read())
    return JsonResponse({"ok": True})
