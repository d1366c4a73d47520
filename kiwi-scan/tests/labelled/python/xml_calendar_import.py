from defusedxml import ElementTree as ET
from django.http import HttpResponseBadRequest, JsonResponse


def import_calendar(request):
    upload = request.FILES["calendar"]
    if upload.size > 1_000_000:
        return HttpResponseBadRequest("too large")
    tree = ET.parse(upload)
    titles = [node.text for node in tree.getroot().iter("title")]
    return JsonResponse({"titles": titles})
