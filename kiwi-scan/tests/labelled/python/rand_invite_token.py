import secrets
import string

from django.core.mail import send_mail
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from teams.models import Invite

ALPHABET = string.ascii_letters + string.digits


@require_POST
def invite(request):
    email = request.POST["email"]
    token = "".join(secrets.choice(ALPHABET) for _ in range(32))
    Invite.objects.create(email=email, token=token, sender=request.user)
    send_mail("Invite", "https://shop.example.com/join/" + token, None, [email])
    return JsonResponse({"sent": True})
