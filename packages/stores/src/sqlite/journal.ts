import type { JournalEntry } from '@lexigram/ai-session/store';

/** What of an entry's data is written: less where the session, or the record of a move, has it anyway. */
export function keptData({ data, type }: JournalEntry): string | null {
  if (data === null || type === 'created') return null;
  if (type !== 'move') return data;
  const { n } = JSON.parse(data) as { readonly n: number };
  return JSON.stringify({ n });
}

/** The data of entries `j`, whole. */
export const journalData: string = `CASE j.type
  WHEN 'created' THEN (SELECT json_object('parentSessionId', c.parent_session_id, 'branchName', c.branch_name,
      'forkSeq', c.fork_seq) FROM ai_sessions c WHERE c.key = j.session AND c.parent_session_id IS NOT NULL)
  WHEN 'move' THEN (SELECT json_object('n', j.data ->> '$.n', 'move', r.value ->> '$.move', 'to', json(r.value -> '$.to'))
    FROM ai_records r WHERE r.session = j.session AND r.kind = 'move' AND r.key = printf('%012d', j.data ->> '$.n'))
  ELSE j.data END AS data`;
