"""Texts that would be markup, script, style, an address or a template where a page trusted them."""

from __future__ import annotations

CORPUS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "${7*7}",
    "</title><script>alert(1)</script>",
    "<!--<script>",
    "]]><script>alert(1)</script>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "\u202egnp.exe",
    "&lt;script&gt;",
    "%3Cscript%3E",
    "<a href=javascript:alert(1)>x</a>",
)
