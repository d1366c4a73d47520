from django import template
from django.utils.html import format_html

register = template.Library()

COLOURS = {"online": "#2e7d32", "away": "#f9a825"}


@register.simple_tag(takes_context=True)
def status_badge(context, state="away"):
    request = context["request"]
    label = request.GET.get("label") or request.user.username
    colour = COLOURS.get(state, "#888888")
    return format_html('<span class="dot" style="color:{}">{}</span>', colour, label)
