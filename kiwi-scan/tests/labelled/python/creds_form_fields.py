from django import forms

PASSWORD_FIELD = "password"
PASSWORD_RESET_URL = "/account/password/reset/"
TOKEN_HEADER = "X-Request-Token"
SECRET_NAME = "projects/example/secrets/mailer"
PASSWORD_HELP = "At least twelve characters, including a digit."


class ChangePasswordForm(forms.Form):
    password = forms.CharField(widget=forms.PasswordInput, help_text=PASSWORD_HELP)
    repeat = forms.CharField(widget=forms.PasswordInput)

    def clean(self):
        data = super().clean()
        if data.get(PASSWORD_FIELD) != data.get("repeat"):
            self.add_error("repeat", "The two entries differ.")
        return data
