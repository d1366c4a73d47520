import secrets

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from accounts.models import RememberToken


@require_POST
def remember_me(request):
    token = secrets.token_urlsafe(32)
    RememberToken.objects.create(user=request.user, token=token)
    response = JsonResponse({"remembered": True})
    response.set_cookie(
        "remember_token",
        token,
        max_age=30 * 86400,
        secure=True,
        httponly=False,
        samesite="Strict",
    )
    return response
