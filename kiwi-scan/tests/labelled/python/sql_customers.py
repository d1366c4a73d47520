from django.http import JsonResponse
from django.views.decorators.http import require_GET

from crm.models import Customer


@require_GET
def search_customers(request):
    term = request.GET.get("q", "").strip()
    if not term:
        return JsonResponse({"results": []})

    found = Customer.objects.raw(
        "SELECT * FROM crm_customer WHERE last_name LIKE '%%%s%%' LIMIT 50" % term
    )
    results = [{"id": c.id, "name": c.last_name} for c in found]
    return JsonResponse({"results": results})
