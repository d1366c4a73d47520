import subprocess as sp

from django.http import JsonResponse
from django.views.decorators.http import require_POST

CONVERT = "/usr/bin/convert"


@require_POST
def make_thumbnail(request, image_id: int):
    size = request.POST.get("size", "200x200")
    src = f"/srv/media/{image_id}.png"
    dst = f"/srv/media/{image_id}_thumb.png"

    cmd = " ".join([CONVERT, src, "-resize", size, dst])
    proc = sp.run(cmd, shell=True, capture_output=True, timeout=30)
    if proc.returncode != 0:
        return JsonResponse({"error": "conversion failed"}, status=500)
    return JsonResponse({"ok": True})
