from django.http import HttpResponseRedirect
from django.utils import translation

LANGUAGES = ("de", "fr", "en")


def switch_language(request):
    code = request.GET.get("lang", "en")
    if code in LANGUAGES:
        translation.activate(code)
        request.session["lang"] = code
    back = request.GET.get("return_to", "/")
    return HttpResponseRedirect(back)
