"""Texts that have broken somebody's catalog."""

from predella.formats.text import normalise

RAW = {
    "controls": "before\x00\x01\x0bafter\x7f\x9f",
    "lone surrogate": "a\ud800b\udfff",
    "noncharacters": "\ufffe\uffff\ufdd0\U0010ffff",
    "markup": "]]> <b>&amp;</b> <!-- --> <?php ?>",
    "separators": "red; green | blue ^^ , \t end",
    "formula": '=HYPERLINK("http://evil.example")',
    "escaped formula": "''=1+1",
    "quote first": "'t Hooft",
    "minus": "-1",
    "newline formula": "\n=1",
    "full-width formula": "\uff1d1+1",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u0645\u0631\u062d\u0628\u0627",
    "emoji": "\U0001f469\u200d\U0001f3a8 \u2764\ufe0f",
    "hidden": "plain\ufeff\ufe00\U000e0100\U000e0041 text",
    "decomposed": "Cafe\u0301 A\u030a",
    "line ends": "one\r\ntwo\rthree\u2028four\x85five",
    "quotation": 'He said "so", twice: """',
    "very long": "line and colour " * 4_000,
    "empty": "",
}
TEXTS = {name: normalise(text) for name, text in RAW.items()}
