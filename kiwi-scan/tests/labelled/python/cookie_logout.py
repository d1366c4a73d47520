import secrets

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from accounts.models import RememberToken


@require_POST
def logout_everywhere(request):
    RememberToken.objects.filter(user=request.user).delete()
    response = JsonResponse({"done": True})
    response.delete_cookie("remember_token")
    response.set_cookie(
        "device",
        secrets.token_hex(16),
        secure=True,
        httponly=True,
        samesite="Strict",
    )
    return response
