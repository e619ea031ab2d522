"""The words by which services say what is wrong, whatever their status: one pattern for each meaning.

They search what `overflow.plain()` leaves of a text. Gaps in them are bounded, so that no text is slow to search.
"""

import re

BAD_CALL = re.compile(
    r"\btool use failed\b|\bfailed generation\b|\bpars(?:e|ing) (?:the )?(?:model s )?(?:tool|function) calls?\b"
)
NO_QUOTA = re.compile(
    r"\binsufficient quota\b|\bbilling (?:hard limit reached|not active|error)\b|\bexceeded current quota error\b"
    r"|\bcredits?(?: balance)?(?: is| are)? (?:too low|exhausted|depleted|used up)\b"
    r"|\binsufficient (?:\w+ )?(?:balance|credits?|funds)\b|\b(?:out of|any|all available) credits\b"
    r"|\bspending (?:limit|cap)\b|\bkey limit exceeded\b|\bquota\b.{0,200}\blimit: 0(?![\d.,]*\d)"
)
# Google says this of limits that are over in a minute, too.
MAYBE_NO_QUOTA = re.compile(r"\bplan and billing\b|\bbilling details\b")
IN_TIME = re.compile(r"\bresource exhausted\b|\bretry\b|\bper (?:minute|day)\b|\btry again\b")
KEY = re.compile(
    r"\b(?:api[ -]?key|access token|credentials?)\b.{0,60}\b(?:invalid|not valid|incorrect|wrong|expired|missing"
    r"|revoked|leaked|required|not found)\b|\b(?:invalid|incorrect|wrong|expired|missing|no) (?:api[ -]?key|token)\b"
)
REGION = re.compile(
    r"\bunsupported country\b|\b(?:country|countries|region|territory|location)\b.{0,60}\b(?:not|n t|un)[ -]?"
    r"(?:supported|available|allowed|permitted)\b|\bnot (?:supported|available|allowed) in (?:your|this) "
    r"(?:country|region|location)"
)
CONTENT = re.compile(
    r"\bcontent[ -]?(?:filter|policy|management|moderation|safety)|\binvalid prompt\b|\bmoderation\b"
    r"|\bresponsible ai|\b(?:input|prompt|content|message|request|text|image|output|was|were|been|is|are) flagged\b"
    r"|\bflagged (?:by|for|as|as potentially)\b|\busage (?:polic|guideline)|\bviolat\w*\b.{0,60}\b(?:polic|guideline|"
    r"terms|rules)|\bsafety (?:system|filter|reason|polic|guideline|check|concern|violation|guardrail)"
    r"|\b(?:for|by|of|to|about|with|blocked:|reason:) safety\b|^safety$|\bprohibited content\b|\bguardrail"
    r"|\b(?:inappropriate|sensitive|harmful|unsafe|disallowed|nsfw|sexual|hateful) (?:content|words?|material|text"
    r"|information|language)\b|\bdata inspection failed\b|\bcontent exists risk\b|\bhigh risk\b|\bcyber policy\b"
    r"|\breasons: |\bblocked by (?:the |our )?(?:\w+ )?(?:polic|filter|safety)"
)
OF_THE_ACCOUNT = re.compile(
    r"\b(?:account|organi[sz]ation|project|user|team|key)\b.{0,40}?\b(?:flagged|suspended|blocked|disabled|banned)\b"
    r"|\b(?:unknown|unrecognized|unsupported) (?:parameter|argument|field|value)\b"
    r"|\binvalid (?:parameter|field|value)\b"
)
NOT_ALLOWED = re.compile(
    r"\b(?:account|organi[sz]ation|project|plan|subscription|key)\b.{0,60}?\b(?:verified|verification|upgrade|permission"
    r"|access|not (?:allowed|enabled|permitted))\b"
)
_IMAGE = r"\b(?:images?|pictures?|photos?|image url|png|jpe?g|webp|gif|media type|pixels?)\b"
_BAD = (
    r"(?:\binvalid\b|\bnot (?:a )?(?:valid|represent)|\bunsupported\b|\bcorrupt|\bmalformed\b|\bbroken\b|\btruncated\b"
    r"|\b(?:could|can|did|was|were|does) ?n[o ]t\b|\bcannot\b|\bunable\b|\bfail|\btoo (?:large|big|many|small)\b"
    r"|\bexceed|\bat most\b|\bmax|\blimit\b|\blarger than\b|\bmore than\b|\bdecod|\bunreadable\b|\bempty\b)"
)
BAD_IMAGE = re.compile(
    rf"{_IMAGE}.{{0,80}}?{_BAD}|{_BAD}.{{0,80}}?{_IMAGE}|\b(?:image|picture) (?:format|type|size|dimensions?|file)\b"
)
NO_IMAGES = re.compile(
    r"(?:\bnot|n t|\bno|\bonly|\bwithout) (?:\w+ ){0,4}?(?:support|accept|handle|allow|process|take|see|have)\w* "
    r"(?:\w+ ){0,3}?(?:image|vision|multimodal|picture)|\bimage (?:input|url|content)s? (?:is|are) (?:not|only) support"
    r"|\bsupport\w* image inputs?\b|\bunknown variant\b|\bdata required for image\b|\bmmproj\b|\btext[ -]only\b"
    r"|\bat most 0 image|\bnot (?:a )?(?:multimodal|vision)"
    r"|\bimages? (?:is|are) (?:not|only) (?:supported|allowed|accepted) (?:by|for)\b"
)
LOADING = re.compile(
    r"\bloading (?:the )?model\b|\b(?:is|are|being|still|currently) (?:\w+ )?(?:load(?:ing|ed)|starting|warming"
    r"|initiali[sz]ing|booting)\b"
    r"|\bwarming up\b|\bstarting up\b|\bcold start|\bnot (?:yet )?ready\b"
)
NOT_LOADED = re.compile(r"\b(?:fail\w*|error|unable|cannot|could not|couldn t)\b.{0,20}\bload")
TIMEOUT = re.compile(r"\btimed? ?out\b|\bdeadline exceeded\b|\btimeout\b")
_GONE = (
    r"(?:not (?:be )?(?:found|exist|available|a valid)|n t exist|unknown|invalid|decommissioned|deprecated|retired"
    r"|no longer (?:supported|available|exist))"
)
NO_MODEL = re.compile(
    rf"\bmodels?\b(?! s\b)[:/]?(?: \S{{1,80}}){{0,4}}? (?:(?:is|was|has been|could|does|do) )?{_GONE}\b"
    r"|\b(?:unknown|invalid|no such|unsupported|wrong) models?\b|\bnot an? (?:valid|known|supported) model\b"
    r"|\bmodel: |\bnot have access to (?:the )?model\b|\bno endpoints found for\b|\bmodel not supported\b"
    r"|\brequested model is not supported\b|\bdeployment\b.{0,60}\bnot (?:found|exist)\b"
)
NO_PATH = re.compile(
    r"^(?:error |code |type |status )*(?:404:? ?)?(?:page |file |path |route |resource |url |the requested url )?"
    r"(?:was )?not found\b.{0,40}$|\binvalid url\b|\bcannot post\b|\bno route\b|\bunknown (?:path|endpoint|url|route)\b"
    r"|\bnot found: (?:post )?/"
)

# Inside a stream there is no status; these codes and types tell which one it would have been.
STATUS_OF_CODE = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "content_filter": 400,
    "content_policy_violation": 400,
    "context_length_exceeded": 400,
    "deadline_exceeded": 504,
    "engine_overloaded_error": 503,
    "exceeded_current_quota_error": 429,
    "insufficient_quota": 429,
    "internal": 500,
    "internal_server_error": 500,
    "invalid_api_key": 401,
    "invalid_argument": 400,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_denied": 403,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "resource_exhausted": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "timeout_error": 504,
    "tool_use_failed": 400,
    "unauthenticated": 401,
    "unavailable": 503,
    "unavailable_error": 503,
}
