import yaml
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from pipelines.models import Pipeline


@require_POST
def import_pipeline(request):
    document = request.FILES["definition"].read().decode("utf-8")
    spec = yaml.load(document, Loader=yaml.UnsafeLoader)
    pipeline = Pipeline.objects.create(name=spec["name"], steps=len(spec["steps"]))
    return JsonResponse({"id": pipeline.pk}, status=201)
