import re

from django.http import JsonResponse

from docs.models import Article


def search(request):
    pattern = request.GET.get("pattern", "")
    hits = []
    for article in Article.objects.all()[:500]:
        if re.search(pattern, article.body):
            hits.append(article.pk)
    return JsonResponse({"hits": hits})
