"""The queries behind `outgoing`: what may leave, what has left, and what must be withdrawn."""

from sqlalchemy import String, TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

# The object's gate says whether its texts may leave, and so do those of all other objects that its
# picture shows; of its accepted rows the newest of each text leaves, which is one kind of text in
# one language, named as `entry.text_name` has it. What is accepted and withheld is counted as
# kept back.
_LEAVING = """
    WITH letting AS (
        SELECT 'approved' AS decision UNION ALL SELECT 'accepted_by_sample' FROM collection
        WHERE id = :collection_id AND review_rules @> '{"export_sampled": true}'
    ), gated AS (
        SELECT item.*, gate.rights_work AS rights, CASE
            WHEN gate.sensitivity <> 'none' THEN 'sensitive'
            WHEN NOT gate.ai_processing THEN 'ai_denied'
            WHEN NOT gate.exportable THEN 'denied'
            WHEN gate.embargo_until > current_date THEN 'embargoed'
            WHEN gate.rights_work IS NULL THEN 'rights_unknown'
            WHEN item.picture_id IS NOT NULL AND EXISTS (
                SELECT FROM item other JOIN object_gate beside USING (collection_id, object_number)
                WHERE other.picture_id = item.picture_id AND other.picture_id IS NOT NULL
                    AND NOT other.is_withdrawn AND (beside.sensitivity <> 'none'
                        OR NOT beside.ai_processing OR NOT beside.exportable
                        OR beside.embargo_until > current_date OR beside.rights_work IS NULL)
            ) THEN 'beside' END AS closed
        FROM item JOIN object_gate gate USING (collection_id, object_number)
        WHERE collection_id = :collection_id AND is_primary
    ), asked AS NOT MATERIALIZED (
        SELECT analysis.*, prompt.kind, prompt.id AS prompt_id, replace(prompt.kind, '_', '-')
            || CASE prompt.kind WHEN 'element' THEN '-' || prompt.name ELSE '' END
            || '/' || analysis.language AS text_id
        FROM analysis JOIN release ON release.id = analysis.release_id
        JOIN prompt ON prompt.id = release.prompt_id
    ), candidate AS (
        SELECT DISTINCT ON (object_number, text_id) gated.*, asked.kind, asked.text_id,
            asked.language AS written_in
        FROM gated JOIN standing USING (analysis_id)
        JOIN asked ON asked.id = gated.analysis_id
        WHERE gated.state IN ('done', 'withheld') AND asked.kind = ANY(:kinds) AND (
            standing.state IN (SELECT decision FROM letting)
            OR standing.state = 'withheld' AND (
                SELECT decision FROM review WHERE review.analysis_id = gated.analysis_id
                ORDER BY number DESC LIMIT 1
            ) IN (SELECT decision FROM letting)
        )
        ORDER BY object_number, text_id, gated.id DESC
    ), leaving AS (
        SELECT candidate.*, review.id AS review_id, review.decision, review.account_id,
            review.revision_id, review.revision_sha256, review.created_at AS decided_at
        FROM candidate
        JOIN LATERAL (
            SELECT * FROM review WHERE review.analysis_id = candidate.analysis_id
            ORDER BY number DESC LIMIT 1
        ) review ON review.decision IN (SELECT decision FROM letting)
        WHERE candidate.closed IS NULL AND NOT EXISTS (
            SELECT FROM control WHERE control.analysis_id = candidate.analysis_id
                AND control.revision_sha256 = review.revision_sha256
        )
    )
"""
# What exports of the same columns took out before, and what the receiver of a delta has or may
# have of each text: what the last of them until then brought, and whatever followed.
_CARRIED = """
    , alike AS (
        SELECT id, written_at FROM export
        WHERE CAST(:since AS timestamptz) IS NOT NULL
            AND collection_id = :collection_id AND state = 'written'
            AND format = CAST(:format AS text)
            AND profile IS NOT DISTINCT FROM CAST(:profile AS text)
    ), carried AS (
        SELECT alike.written_at, line.export_id, line.number, line.sha256, line.item_id,
            line.analysis_id, line.revision_id, false AS buried
        FROM alike JOIN export_line line ON line.export_id = alike.id
        UNION ALL
        SELECT alike.written_at, line.export_id, line.number, stone.sha256, line.item_id,
            line.analysis_id, line.revision_id, true
        FROM alike JOIN export_tombstone stone ON stone.export_id = alike.id
        JOIN export_line line ON line.export_id = stone.buried_export_id
            AND line.number = stone.buried_number
    ), told AS (
        SELECT carried.*, item.object_number, asked.text_id, asked.language, max(carried.written_at)
            FILTER (WHERE carried.written_at <= CAST(:since AS timestamptz))
            OVER (PARTITION BY item.object_number, asked.text_id) AS settled
        FROM carried JOIN item ON item.id = carried.item_id
        JOIN asked ON asked.id = carried.analysis_id
    ), known AS (
        SELECT object_number, text_id, array_agg(DISTINCT sha256) AS digests,
            min(settled) AS settled,
            (array_agg(export_id ORDER BY written_at DESC) FILTER (WHERE NOT buried))[1]
                AS export_id,
            (array_agg(number ORDER BY written_at DESC) FILTER (WHERE NOT buried))[1] AS number
        FROM told WHERE settled IS NULL OR written_at >= settled
        GROUP BY object_number, text_id
    )
"""
# Of the item that a line of a file speaks of, and of its image.
_ABOUT = """
    item.object_number, item.title, item.artist, item.artist_uri, item.date, item.medium,
    item.dimensions, item.object_uri, item.credit_line, item.extra, item.key, item.view,
    item.rights_image, item.iiif_image, image.sha256 AS image_sha256, image.width, image.height,
    analysis.language
"""
# As `Unit.place` has it, and of one object its newest row of a manifest first.
_IN_PLACE = """
    ORDER BY CASE WHEN :by_image THEN item.key END COLLATE "C",
        item.object_number COLLATE "C", item.id DESC
"""


def _asking(*parts: str) -> TextClause:
    return text(" ".join(parts)).bindparams(
        bindparam("collection_id", type_=Uuid), bindparam("kinds", type_=ARRAY(String))
    )


KEPT_BACK = _asking(
    _LEAVING,
    """
    SELECT closed, count(*) FROM candidate WHERE closed IS NOT NULL GROUP BY closed
    """,
)

_DEPARTING = (
    """
    SELECT item.id AS item_id, item.analysis_id, item.review_id, item.decision,
        item.decided_at, item.rights AS rights_work, item.kind, item.text_id,
    """,
    _ABOUT,
    """,
        analysis.release_id, analysis.created_at AS generated_at,
        analysis.lease_token AS run_id,
        revision.id AS revision_id, revision.number AS revision_number, revision.text,
        revision.sha256 AS revision_sha256, original.sha256 AS original_sha256,
        account.display_name AS reviewer,
        CASE WHEN known.settled IS NOT NULL AND cardinality(known.digests) = 1
            THEN known.digests[1] END AS carried
    FROM leaving item
    JOIN analysis ON analysis.id = item.analysis_id
    JOIN image ON image.id = analysis.image_id
    JOIN account ON account.id = item.account_id
    JOIN revision ON revision.id = item.revision_id
    JOIN revision original ON original.analysis_id = analysis.id AND original.number = 0
    LEFT JOIN known ON known.object_number = item.object_number AND known.text_id = item.text_id
    """,
)
DEPARTURES = _asking(_LEAVING, _CARRIED, *_DEPARTING, _IN_PLACE)


def of_departing(query: str) -> TextClause:
    """Return a query over ``departing``: what may leave one collection now, a row each."""
    return _asking(_LEAVING, _CARRIED, ", departing AS (", *_DEPARTING, ")", query)


OF_OBJECTS = of_departing("""
    SELECT * FROM departing WHERE object_number = ANY(:object_numbers)
    ORDER BY object_number COLLATE "C", item_id DESC
""")

LANGUAGES = _asking(
    _LEAVING, _CARRIED, "SELECT written_in FROM leaving UNION SELECT language FROM told"
)

BURIALS = _asking(
    _LEAVING,
    _CARRIED,
    """
    SELECT known.export_id, known.number, gate.rights_work, analysis.kind, analysis.prompt_id,
        line.revision_id,
    """,
    _ABOUT,
    """
    FROM known
    JOIN export_line line ON line.export_id = known.export_id AND line.number = known.number
    JOIN item ON item.id = line.item_id
    JOIN object_gate gate ON gate.collection_id = item.collection_id
        AND gate.object_number = item.object_number
    JOIN asked analysis ON analysis.id = line.analysis_id
    JOIN image ON image.id = analysis.image_id
    WHERE NOT EXISTS (
        SELECT FROM leaving WHERE leaving.object_number = known.object_number
            AND leaving.text_id = known.text_id
    )
    """,
    _IN_PLACE,
)
