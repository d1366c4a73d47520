import logging

from django.http import JsonResponse

log = logging.getLogger(__name__)
SOURCES = {"web", "app", "mail"}


def track_view(request):
    article = int(request.GET.get("article", "0"))
    source = request.GET.get("src", "web")
    if source not in SOURCES:
        source = "other"
    log.info(f"view article={article} src={source}")
    return JsonResponse({"tracked": True})
