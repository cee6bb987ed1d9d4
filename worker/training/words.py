"""Sentences of our own from which the tokenizer of a small checkpoint learns its words."""

TEXT = """
The composition rests on a broad diagonal that leads the eye from the lower left to the upper
right. A cool blue ground recedes behind warm ochre and red forms, and the space opens toward the
horizon. Light falls from the left, models the rounded volumes, and leaves deep shadow along the
right edge. The palette is restrained: grey, brown, umber and cream, broken by one vivid accent of
green. Loose brushwork and thick impasto give the surface a restless texture; the contours stay
soft. Horizontal bands of colour divide the field into quiet strata, each lighter than the one
below. Strong contrast between dark and light draws attention to the figure at the centre of the
canvas. The forms are flat, angular and overlapping, with sharp edges that hold the picture plane.
Vertical accents slow the rhythm of the curved lines and steady the balance of the whole. Symmetry
governs the arrangement, yet small shifts of tone keep the pattern from growing rigid. Transparent
glazes deepen the shadows, while opaque white strokes catch the brightest light. Negative space
surrounds the shapes and lets the silhouette stand clear against a pale sky. Depth is suggested by
scale, by overlapping planes, and by the gradual loss of detail and warmth. The viewer looks down
on a tilted surface where objects gather in a tight cluster near the corner. Colour moves between
saturated yellow and muted violet, and this tension gives the work its energy. Short parallel
strokes follow the form, so that hatching turns the body in space. A narrow range of values keeps
the mood calm; nothing disturbs the even, diffused illumination. The frame crops the scene
closely, and the figures press forward into the shallow foreground. Repeated circles echo across
the surface and bind foreground, middle ground and background together. Line is economical: a
single unbroken contour describes the shoulder, the arm and the folded hand.
"""
"""What a formal analysis speaks of: line, colour, light, texture, space and composition."""

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives"
    " helpful, detailed, and polite answers to the user's questions."
)
"""The opening of the conversation form vicuna_v1, on which GalleryGPT was trained."""

TEMPLATE = (
    SYSTEM + "{% for message in messages %}"
    "{% if message['role'] == 'user' %} USER: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% else %} ASSISTANT: "
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}</s>"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)
