import torch
from django.http import JsonResponse
from django.views.decorators.http import require_GET

from scoring.network import RiskNet

model = RiskNet(inputs=3)
model.eval()


@require_GET
def score(request):
    values = [float(request.GET.get(k, "0")) for k in ("age", "income", "debt")]
    with torch.no_grad():
        out = model(torch.tensor([values]))
    return JsonResponse({"score": out.item()})
