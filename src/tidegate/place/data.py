"""What kinds of data it holds, by the names of columns and fields, and what people upload to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tidegate.place.code import Code
from tidegate.place.values import DataClass, Field, Seen


def read_fields(files: Iterable[Code]) -> tuple[tuple[Field, ...], tuple[Seen, ...]]:
    """Columns that say what is held, the first place of each name, and where files of unknown content come in."""
    found: dict[tuple[DataClass, str], Field] = {}
    uploads: dict[str, Seen] = {}
    for code in sorted(files, key=lambda one: one.path):
        for number, line in code.spoken:
            for name in _columns(code, line):
                grave = class_of(name) if not name.isupper() else "none"
                if grave != "none" and _NAME.fullmatch(name):
                    found.setdefault((grave, name), Field(grave, name, Seen(code.path, number, f"holds {name}")))
            if _UPLOAD.search(line):
                uploads.setdefault(code.path, Seen(code.path, number, "takes files of unknown content"))
    return tuple(sorted(found.values())), tuple(uploads.values())


def class_of(name: str) -> DataClass:
    """What a column of this name holds; "none" where the name says nothing."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if _ABOUT.match(plain):
        return "none"
    if _REGULATED.search(plain):
        return "regulated"
    return "personal" if _PERSONAL.search(plain) else "none"


# Private

_ABOUT = re.compile(r"(?:is|has|show|can|wants?|allow|send|use|hide|enable|max|min|num|total|count)s?_")
_REGULATED = re.compile(
    r"(?:^|_)(?:card_?number|cvv|cvc|pan|iban|bic|account_number|routing_number|sort_code|credit_card(?!_id)\w*|ssn|"
    r"social_security\w*|tax_id|passport\w*|national_id|driver_?s?_licen[cs]e\w*|diagnos[ie]s|medical\w*|"
    r"prescription|patient\w*|blood_type|biometric\w*|religion|ethnicity|salary)(?:$|_)"
)
_PERSONAL = re.compile(
    r"(?:^|_)(?:e_?mail(?:_address)?|phone(?:_number)?|mobile|address|street\w*|zip_?code|postal_?code|"
    r"birth_?(?:day|date)|date_of_birth|dob|first_?name|last_?name|full_?name|surname|user_?name|gender|"
    r"password\w*|hashed_password|passwd|pass_hash|ip_?address|ip_addr|latitude|longitude|"
    r"avatar\w*|photo|signature|totp\w*)$"
)
_TABLES = (
    re.compile(r"^\s+(\w+)\s*(?::[^=]{1,80})?=\s*(?:\w+\.)?(?:Column|mapped_column|\w*Field|Relationship)\s*\("),
    re.compile(r"^\s+(\w+)\s*:\s*(?:Mapped\[|EmailStr|SecretStr|(?:Optional\[)?(?:str|date|datetime|UUID)\b)"),
    re.compile(r"^\s+(\w+)\s+(?:String|Int|BigInt|DateTime|Decimal|Json|Float|Boolean|Bytes)[?\[\s@]"),
    re.compile(
        r"(?i)^\s*[\"`\[(]?(\w+)[\"`\]]?\s+(?:varchar|text|char|citext|uuid|date|timestamp|inet|int|integer|bigint|numeric|jsonb?|bytea|blob)\b"
    ),
    re.compile(r"^\s*t\.\w+\s+[\"':](\w+)"),
    re.compile(r"\badd_column\s*\(?\s*:\w+,\s*:(\w+)"),
    re.compile(
        r"^\s*[\"']?(\w+)[\"']?\s*:\s*(?:\{\s*type\s*:\s*(?:String|Number|Date|DataTypes)|String\b|DataTypes\.|Sequelize\.|z\.(?:string|date)|v\.string|t\.String)"
    ),
    re.compile(r"^\s*(?:(?:private|public|readonly|protected)\s*)?(?:String|LocalDate|Date|UUID)\s+(\w+)\s*;"),
    re.compile(r"^\s+(\w+)\s+(?:\*?string|time\.Time|sql\.NullString)\s+`"),
    re.compile(r"^\s+(?:optional |repeated )?(?:string|bytes|int32|int64)\s+(\w+)\s*=\s*\d+;"),
)
_UPLOAD = re.compile(
    r"\bUploadFile\b|\brequest\.files\b|\bFileField\(|\bImageField\(|\bmulter\(|\bhas_(?:one|many)_attached\b|"
    r"\bfile_uploader\(|\bMultipartFile\b|\bFormFile\(|\bformidable\(|\bbusboy\("
)
_NAME = re.compile(r"\w{1,80}")
_INLINE = re.compile(r"(?i)create\s+table[^(]{0,200}\(")


def _columns(code: Code, line: str) -> list[str]:
    """The names of the columns or fields that a line declares."""
    if code.kind != "source" and not code.path.endswith((".sql", ".prisma", ".proto")):
        return []
    whole = _INLINE.search(line)  # a whole table in one line, as small programs write it
    if whole is not None:
        parts = re.split(r"[(,]", line[whole.end() - 1 :])
        return [words[0].strip("\"'`[ ") for one in parts if (words := one.split())]
    return [match[1] for pattern in _TABLES if (match := pattern.search(line)) is not None][:1]
