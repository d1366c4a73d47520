from django import template
from django.utils.safestring import mark_safe

register = template.Library()

COLOURS = {"gold": "#d4af37", "silver": "#c0c0c0"}


@register.simple_tag(takes_context=True)
def nickname_badge(context, level="silver"):
    request = context["request"]
    nickname = request.GET.get("nick") or request.user.username
    colour = COLOURS.get(level, "#888888")
    html = '<span class="badge" style="color:%s">%s</span>' % (colour, nickname)
    return mark_safe(html)
