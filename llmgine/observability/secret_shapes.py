"""What secrets look like: the formats of keys that services publish, of which gitleaks keeps the widest list.

Each rule has a text that all its secrets contain, which is looked for first because that is quick, and a pattern. What
a pattern repeats without a limit begins at most once in each run of its characters, so that the time grows with the
text and not faster. What innocent text also looks like (a hash, a UUID, an id, base64) is no rule:
tests/llmgine/observability/innocent.txt has examples.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Shape(NamedTuple):
    """One kind of secret. Where the pattern has a group, the group is the secret and the rest of the match stays."""

    hint: str
    pattern: re.Pattern[str]


# Of each kind: a text that is in its beginning, the beginning, which belongs to one service, and what comes after it.
_PREFIXED: tuple[tuple[str, str, str], ...] = (
    ("sk-", r"sk-", r"[\w-]{16,}"),  # OpenAI, Anthropic, DeepSeek, OpenRouter and others
    ("IA", r"A[KSB]IA", r"[A-Z2-7]{16}(?![A-Za-z0-9])"),  # AWS
    ("gh", r"gh[pousr]_", r"[A-Za-z0-9]{36,}"),  # GitHub
    ("github_pat_", r"github_pat_", r"\w{22,}"),
    ("gl", r"gl(?:pat|soat|imt|cbt|ptt|ffct|agent|[drf]t)-", r"[\w-]{20,}"),  # GitLab
    ("GR1348941", r"GR1348941", r"[\w-]{20,}"),
    ("AIza", r"AIza", r"[\w-]{35}"),  # Google
    ("GOCSPX-", r"GOCSPX-", r"[\w-]{28}"),
    ("ya29.", r"ya29\.", r"[\w-]{20,}"),
    ("xox", r"xox[abeoprs]-", r"[A-Za-z0-9-]{10,}"),  # Slack
    ("xoxe.xox", r"xoxe\.xox[bp]-", r"[A-Za-z0-9-]{10,}"),
    ("xapp-", r"xapp-", r"[A-Za-z0-9-]{10,}"),
    ("mfa.", r"mfa\.", r"[\w-]{84,}"),  # Discord
    ("k_", r"[sr]k_(?:live|test|prod)_", r"[A-Za-z0-9]{10,}"),  # Stripe
    ("whsec_", r"whsec_", r"[A-Za-z0-9+/]{32,}={0,2}"),
    ("gsk_", r"gsk_", r"[A-Za-z0-9]{40,}"),  # Groq
    ("xai-", r"xai-", r"[\w-]{60,}"),
    ("pplx-", r"pplx-", r"[A-Za-z0-9]{40,}"),  # Perplexity
    ("hf_", r"hf_", r"[A-Za-z]{34}(?![A-Za-z])"),  # Hugging Face
    ("r8_", r"r8_", r"[A-Za-z0-9]{37}"),  # Replicate
    ("npm_", r"npm_", r"[A-Za-z0-9]{36}"),
    ("pypi-AgE", r"pypi-AgE", r"[\w-]{50,}"),
    ("rubygems_", r"rubygems_", r"[0-9a-f]{48}"),
    ("dckr_", r"dckr_(?:pat|oat)_", r"[\w-]{27,}"),
    ("SG.", r"SG\.", r"[\w-]{16,32}\.[\w-]{16,64}"),  # SendGrid
    ("xkeysib-", r"xkeysib-", r"[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("_v1_", r"do[opr]_v1_", r"[0-9a-f]{64}"),  # DigitalOcean
    ("shp", r"shp(?:at|ca|pa|ss)_", r"[0-9a-fA-F]{32}"),  # Shopify
    ("sq0", r"sq0(?:at|cs)p-", r"[\w-]{22,}"),  # Square
    ("lin_api_", r"lin_api_", r"[A-Za-z0-9]{40}"),
    ("ntn_", r"ntn_", r"[A-Za-z0-9]{40,}"),  # Notion
    ("glsa_", r"glsa_", r"[A-Za-z0-9]{32}_[0-9a-fA-F]{8}"),  # Grafana
    ("glc_", r"glc_", r"[A-Za-z0-9+/]{32,}={0,2}"),
    ("hv", r"hv[sb]\.", r"[\w-]{24,}"),  # HashiCorp Vault
    ("pul-", r"pul-", r"[0-9a-f]{40}"),
    ("PMAK-", r"PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("pscale_", r"pscale_(?:tkn|pw|oauth)_", r"[\w=.-]{32,}"),
    ("sntry", r"sntry[su]_", r"[\w+/=]{60,}"),
    ("NRAK-", r"NRAK-", r"[A-Z0-9]{27}"),
    ("ATATT3", r"ATATT3", r"[\w=-]{100,}"),  # Atlassian
    ("dapi", r"dapi", r"[0-9a-f]{32}(?:-\d)?(?![\w-])"),  # Databricks
    ("dp.pt.", r"dp\.pt\.", r"[A-Za-z0-9]{40,44}"),  # Doppler
    ("dt0c01.", r"dt0c01\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),  # Dynatrace
    ("sbp_", r"sbp_", r"[0-9a-f]{40}"),  # Supabase
    ("figd_", r"figd_", r"[\w-]{36,}"),
    ("tskey-", r"tskey-", r"[a-z]+-[\w-]{16,}"),  # Tailscale
    ("fo1_", r"fo1_", r"[\w-]{43}"),  # Fly
    ("HRKU-", r"HRKU-", r"[\w-]{36,}"),  # Heroku
    ("ops_eyJ", r"ops_eyJ", r"[\w+/=-]{60,}"),  # 1Password
    ("AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    ("sha256~", r"sha256~", r"[\w-]{43}(?![\w-])"),  # OpenShift
    ("sgp_", r"sgp_", r"(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}"),  # Sourcegraph
    ("FLWSECK", r"FLWSECK", r"(?:_TEST)?-[0-9a-hA-H]{12,}"),
    ("EZAK", r"EZAK", r"[A-Za-z0-9]{54}"),  # EasyPost
    ("SK", r"SK", r"[0-9a-f]{32}(?![\w-])"),  # Twilio
)

# Before the first character of a key is no letter or digit, or the letter of a JSON escape: "task-…" is no key. It is
# looked at after that character, so that a search begins with something plain.
_START = r"(?:(?<![A-Za-z0-9]{first})|(?<=\\[bfnrt]{first})|(?<=\\u[\da-f][\da-f][\da-f][\da-f]{first}))"

# A private key: up to its end, or as many lines of base64 as follow where the end is missing. JSON escapes line ends.
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[\s\S]){0,20000}+-----END[A-Z0-9 ]*-----|(?:(?:\s|\\+[rn])*+[A-Za-z0-9+/=]{20,}+)*+)"
)

# Where a run of characters begins of which only the end tells what it is.
_ALONE = r"(?:(?<![\w:/~.-])|(?<=\\[bfnrt]))"

_OTHERS: tuple[tuple[str, str], ...] = (
    # A Discord token begins with the bot's id in base64, and ids begin with a digit.
    (".", r"[MNO][\w-]{22,27}\.[\w-]{6,7}\.[\w-]{27,}"),
    ("webhooks/", r"/api/(?:v\d+/)?webhooks/\d+/[\w-]+"),
    ("hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]{20,})"),
    (".webhook.office.com/", r"\.webhook\.office\.com/webhookb2/([\w@/-]{40,})"),
    # JSON Web Tokens, also where the signature is missing.
    ("eyJ", r"eyJ(?:(?<![\w-]eyJ)|(?<=\\[bfnrt]eyJ))[\w-]{10,}+\.eyJ[\w-]{10,}+(?:\.[\w-]*+)?"),
    ("-----BEGIN", _PRIVATE_KEY),
    ("PuTTY-User-Key-File-", r"Private-Lines: \d+\s([A-Za-z0-9+/=\s]+)"),
    (":AA", rf"{_ALONE}\d{{8,10}}:AA[\w-]{{33}}(?![\w-])"),  # Telegram
    ("Q~", rf"{_ALONE}[\w~.-]{{3}}\dQ~[\w~.-]{{31,34}}(?![\w~.-])"),  # Azure
    ("AccountKey=", r"AccountKey=([A-Za-z0-9+/]{40,}={0,2})"),
    ("SharedAccessKey=", r"SharedAccessKey=([A-Za-z0-9+/]{40,}={0,2})"),
    ("-us", rf"{_ALONE}[0-9a-f]{{32}}-us\d{{1,2}}(?![\w-])"),  # Mailchimp
    ("key-", r"key-(?:(?<![\w-]key-)|(?<=\\[bfnrt]key-))[0-9a-f]{32}(?![\w-])"),  # Mailgun
    (".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}"),  # Terraform
    ("1//0", r"1//0(?:(?<![\w/]1//0)|(?<=\\[bfnrt]1//0))[\w-]{38,}"),  # Google's refresh tokens
)

# What stands in an example in place of a password or key.
_PLACEHOLDER = r"(?:pass(?:word)?|pw|secret|token|key|changeme|example|your[\w-]*|x+|\.+)"

_WORDED: tuple[tuple[str, str], ...] = (
    # Passwords in addresses: postgres://user:password@host.
    (
        "://",
        rf"://[^\s/:@?#\"'<>\\]{{0,100}}:(?!{_PLACEHOLDER}@)(?![$<{{*\[%])([^\s/@?#\"'<>\\]{{1,300}})@",
    ),
    # Authorization: Bearer …, and a bearer token by itself.
    (
        "uthorization",
        r"uthorization[\\\"']{0,4}\s{0,3}[:=]\s{0,3}[\\\"']{0,4}(?i:bearer|basic|token|bot)\s{1,3}([^\s\\\"',;<>${\[]{6,})",
    ),
    ("earer ", r"earer {1,3}(?=[\w.~+/-]{0,200}\d)([\w.~+/-]{20,}=*)"),
)
# The value of a variable that is called a secret: at least 20 small and capital letters and digits, well mixed.
# Without their first letter, which may be a capital.
_NAMES = (
    *("ecret", "oken", "assword", "ccess_key", "pi_key", "piKey"),
    *("SECRET", "TOKEN", "PASSWORD", "ACCESS_KEY", "API_KEY"),
)
_VALUE = (
    r"[\w-]{0,20}[\\\"']{0,4}[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3}[\\\"']{0,4}(?=[A-Za-z0-9+/_~-]{0,40}[a-z])"
    r"(?=[A-Za-z0-9+/_~-]{0,40}[A-Z])(?=[A-Za-z0-9+/_~-]{0,40}\d[^\d\s]{1,30}\d)"
    r"([A-Za-z0-9+/_~-]{20,200}+={0,2})(?![\w.(\[~+/-])"
)


def _shapes() -> Iterator[Shape]:
    for hint, prefix, rest in _PREFIXED:
        first = "[sr]" if prefix.startswith("[sr]") else prefix[0]
        start = f"{first}{_START.replace('{first}', first)}{prefix.removeprefix(first)}"
        yield Shape(hint, re.compile(f"{start}{rest}", re.ASCII))
    for name in _NAMES:
        yield Shape(name, re.compile(f"{name}{_VALUE}", re.ASCII))
    for hint, pattern in (*_OTHERS, *_WORDED):
        yield Shape(hint, re.compile(pattern, re.ASCII))


SHAPES: tuple[Shape, ...] = tuple(_shapes())
