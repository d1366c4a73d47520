from django.http import HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


def set_timezone(request):
    zone = request.GET.get("tz", "UTC")
    if zone in ("UTC", "Europe/Zurich", "Asia/Tokyo"):
        request.session["tz"] = zone
    back = request.GET.get("return_to", "/")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/"
    return HttpResponseRedirect(back)
