import json
from urllib.request import urlopen

from django.http import JsonResponse


def probe(request):
    node = request.GET.get("node", "node-1.internal")
    url = "http://%s/healthz" % node
    with urlopen(url, timeout=3) as reply:
        info = json.load(reply)
    return JsonResponse({"node": node, "state": info.get("state")})
