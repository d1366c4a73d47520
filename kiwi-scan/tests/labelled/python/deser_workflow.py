import yaml
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from workflows.models import Workflow

try:
    from yaml import CSafeLoader as Loader
except ImportError:
    from yaml import SafeLoader as Loader


@require_POST
def import_workflow(request):
    document = request.FILES["definition"].read().decode("utf-8")
    spec = yaml.load(document, Loader=Loader)
    flow = Workflow.objects.create(name=spec["name"], steps=len(spec["steps"]))
    return JsonResponse({"id": flow.pk}, status=201)
