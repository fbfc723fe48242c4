"""Search by parts of texts, in any language, under row-level security: three letters from every place, looked up with = and <.

A text is folded (NFKC, lower case); what is asked for is folded and cut into words, each of which must stand somewhere in it. Every part
of a text begins with one of its grams, or one of its grams with it: so a range of grams finds two Chinese characters as well as three
letters of an e-mail. Of a question's grams the rarest leads, and what it finds is read.
"""

from collections.abc import Sequence
from uuid import UUID

from checkout_core.ids import new_id
from tenants.db import TenantTx

GRAM = 3  # as the schema's own backfill has it
FOLDED = "lower(normalize({}, NFKC))"
RARE = 2_000  # rows of a gram that are counted to find the rarest; each says of how many texts it is
READ_MAX = 5_000  # texts that one question may read
GRAMS_MAX = 12  # of a question, tried for the rarest
QUESTION_MAX = 100  # letters

# Parts of a WITH. `word`: what is asked, in $q. `gram`: the ranges its words begin in, spelled out: an expression over them would not be
# leakproof, and no index condition.
WORDS = f"word AS MATERIALIZED (SELECT DISTINCT w FROM regexp_split_to_table({FOLDED.format('{q}::text')}, '\\s+') AS w WHERE w <> '')"
_GRAMS = f"""gram AS MATERIALIZED (
    SELECT g AS low, g || chr(1114111) AS high
    FROM (SELECT DISTINCT substr(w, n, {GRAM}) AS g FROM word, generate_series(1, greatest(length(w) - {GRAM - 1}, 1)) AS n) AS grams
    LIMIT {GRAMS_MAX})"""
# Those of a kind whose text has all words, up to {most}; and whether there are more, or too many to read: then none is named.
_FOUND = f"""rarest_{{kind}} AS MATERIALIZED (
    SELECT low, high FROM gram CROSS JOIN LATERAL (
        SELECT coalesce(sum(texts), 0) AS texts FROM (
            SELECT texts FROM search_gram WHERE tenant_id = $1 AND kind = '{{kind}}' AND gram >= low AND gram < high
            LIMIT {RARE}) AS first OFFSET 0) AS counted
    ORDER BY texts LIMIT 1),
read_{{kind}} AS MATERIALIZED (
    SELECT g.id FROM rarest_{{kind}} CROSS JOIN LATERAL (
        SELECT unnest(coalesce(ids, ARRAY[id])) AS id FROM search_gram
        WHERE tenant_id = $1 AND kind = '{{kind}}' AND gram >= low AND gram < high LIMIT {READ_MAX}) AS g),
found_{{kind}} AS MATERIALIZED (
    SELECT t.id FROM (SELECT DISTINCT id FROM read_{{kind}}) AS r CROSS JOIN LATERAL (
        SELECT id, text FROM search_text WHERE tenant_id = $1 AND kind = '{{kind}}' AND id = r.id OFFSET 0) AS t
    WHERE NOT EXISTS (SELECT FROM word WHERE strpos(t.text, w) = 0) LIMIT {{most}} + 1),
many_{{kind}} AS MATERIALIZED (
    SELECT (SELECT count(*) FROM read_{{kind}}) >= {READ_MAX} OR (SELECT count(*) FROM found_{{kind}}) > {{most}} AS many)"""


def finding(q: str, **kinds: int) -> str:
    """Parts of a WITH that look the words of parameter `q` up in texts of `kinds` (each with how many at most).

    They give `word(w)`, and of each kind `found_<kind>(id)` and `many_<kind>(many)`. $1 is the tenant.
    """
    parts = [_FOUND.format(kind=kind, most=most) for kind, most in kinds.items()]
    return ",\n".join([WORDS.format(q=q), _GRAMS, *parts])


# Inside CASE, IN is no join: a planner without statistics might turn it round.
_KEEP = f"""
    WITH new AS MATERIALIZED (SELECT id, {FOLDED.format("text")} AS text FROM unnest($3::uuid[], $4::text[]) AS x(id, text)),
    old AS MATERIALIZED (
        SELECT o.id, o.text, new.text AS now FROM new CROSS JOIN LATERAL (
            SELECT id, text FROM search_text WHERE tenant_id = $1 AND kind = $2 AND id = new.id OFFSET 0) AS o),
    stale AS MATERIALIZED (
        SELECT DISTINCT id, substr(text, n, {GRAM}) COLLATE "C" AS gram FROM old, generate_series(1, length(text)) AS n
        WHERE strpos(now, substr(text, n, {GRAM})) = 0),
    gone AS (DELETE FROM search_gram AS g
             WHERE tenant_id = $1 AND kind = $2 AND gram = ANY(ARRAY(SELECT gram FROM stale)) AND id = ANY(ARRAY(SELECT id FROM stale))
               AND CASE WHEN (g.gram, g.id) IN (SELECT gram, id FROM stale) THEN true END),
    kept AS (INSERT INTO search_text (tenant_id, kind, id, text) SELECT $1, $2, id, text FROM new ORDER BY id
             ON CONFLICT (tenant_id, kind, id) DO UPDATE SET text = excluded.text)
    INSERT INTO search_gram (tenant_id, kind, gram, id)
    SELECT DISTINCT $1::uuid, $2::text, substr(text, n, {GRAM}) COLLATE "C" AS gram, id FROM new, generate_series(1, length(text)) AS n
    ORDER BY gram, id ON CONFLICT DO NOTHING"""
_ADD = f"""
    WITH new AS MATERIALIZED (SELECT id, {FOLDED.format("text")} AS text FROM unnest($3::uuid[], $4::text[]) AS x(id, text)),
    kept AS (INSERT INTO search_text (tenant_id, kind, id, text, segment) SELECT $1, $2, id, text, $5 FROM new ORDER BY id)
    INSERT INTO search_gram (tenant_id, kind, gram, id, ids, texts)
    SELECT $1::uuid, $2::text, gram, CASE count(*) WHEN 1 THEN (array_agg(id))[1] ELSE $5::uuid END,
           CASE WHEN count(*) > 1 THEN array_agg(id) END, count(*)
    FROM (SELECT DISTINCT substr(text, n, {GRAM}) COLLATE "C" AS gram, id FROM new, generate_series(1, length(text)) AS n) AS grams
    GROUP BY gram ORDER BY gram"""
# Their grams' rows are taken out, and those that others share are put back without them.
_FORGET = f"""
    WITH old AS MATERIALIZED (SELECT id, text, segment FROM search_text WHERE tenant_id = $1 AND kind = $2 AND id = ANY($3)),
    stale AS MATERIALIZED (
        SELECT DISTINCT substr(text, n, {GRAM}) COLLATE "C" AS gram, row_id FROM old, unnest(ARRAY[id, segment]) AS row_id,
               generate_series(1, length(text)) AS n
        WHERE row_id IS NOT NULL),
    gone AS (DELETE FROM search_gram AS g
             WHERE tenant_id = $1 AND kind = $2 AND gram = ANY(ARRAY(SELECT gram FROM stale)) AND id = ANY(ARRAY(SELECT row_id FROM stale))
               AND CASE WHEN (g.gram, g.id) IN (SELECT gram, row_id FROM stale) THEN true END
             RETURNING gram, id, ids),
    forgotten AS (DELETE FROM search_text WHERE tenant_id = $1 AND kind = $2 AND id = ANY($3))
    INSERT INTO search_gram (tenant_id, kind, gram, id, ids, texts)
    SELECT $1, $2, gram, gone.id, array_agg(other), count(*) FROM gone, unnest(ids) AS other
    WHERE other NOT IN (SELECT id FROM old) GROUP BY gram, gone.id"""


async def keep(tx: TenantTx, kind: str, texts: Sequence[tuple[UUID, str]]) -> None:
    """Let each thing of `kind` be found by its text from now on, and no longer by the one it had."""
    if texts:
        await tx.conn.execute(_KEEP, tx.tenant_id, kind, [each for each, _ in texts], [text for _, text in texts])


async def add(tx: TenantTx, kind: str, texts: Sequence[tuple[UUID, str]]) -> None:
    """The same for things that were not there before, many at once: what they have in common is written once. No other transaction may
    add or forget of this kind meanwhile."""
    if texts:
        await tx.conn.execute(_ADD, tx.tenant_id, kind, [each for each, _ in texts], [text for _, text in texts], new_id())


async def forget(tx: TenantTx, kind: str, ids: Sequence[UUID]) -> None:
    """Let these be found no more; their texts are gone."""
    if ids:
        await tx.conn.execute(_FORGET, tx.tenant_id, kind, ids)
