from django.http import JsonResponse
from django.views.decorators.http import require_GET

from purchasing.models import Supplier


@require_GET
def search_suppliers(request):
    term = request.GET.get("q", "").strip()
    if not term:
        return JsonResponse({"results": []})

    found = Supplier.objects.raw(
        "SELECT * FROM purchasing_supplier WHERE name LIKE %s LIMIT 50",
        ["%" + term + "%"],
    )
    results = [{"id": s.id, "name": s.name} for s in found]
    return JsonResponse({"results": results})
