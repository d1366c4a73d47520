import logging

from django.http import JsonResponse

log = logging.getLogger(__name__)


def track_download(request):
    campaign = request.GET.get("campaign", "none")
    source = request.GET.get("src", "web")
    log.info(f"download campaign={campaign} src={source}")
    return JsonResponse({"tracked": True})
