import random
import string

from django.core.mail import send_mail
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from accounts.models import PasswordReset, User

ALPHABET = string.ascii_letters + string.digits


@require_POST
def forgot_password(request):
    user = User.objects.filter(email=request.POST["email"]).first()
    if user:
        token = "".join(random.choice(ALPHABET) for _ in range(32))
        PasswordReset.objects.create(user=user, token=token)
        link = "https://shop.example.com/reset/" + token
        send_mail("Reset", link, "noreply@example.com", [user.email])
    return JsonResponse({"sent": True})
