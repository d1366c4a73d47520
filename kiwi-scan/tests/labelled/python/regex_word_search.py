import re

from django.http import JsonResponse

from docs.models import Page


def search(request):
    word = re.escape(request.GET.get("word", ""))
    hits = []
    for page in Page.objects.all()[:500]:
        if re.search(r"\b" + word + r"\b", page.body):
            hits.append(page.pk)
    return JsonResponse({"hits": hits})
