import type { LineageEntry } from '@lexigram/ai-session/store';

/**
 * Entries of a lineage as short text: `[[session, …], [from, session's index, timeline's number, level, …]]`.
 * A segment takes some ten bytes.
 */
export function writeLineage(entries: readonly LineageEntry[]): string {
  const sessions: string[] = [];
  const numbers: number[] = [];
  for (const { from, level, timelineId } of entries) {
    const dot = timelineId.lastIndexOf('.');
    const session = timelineId.slice(0, dot);
    let index = sessions.indexOf(session);
    if (index === -1) index = sessions.push(session) - 1;
    numbers.push(from, index, Number(timelineId.slice(dot + 1)), level);
  }
  return JSON.stringify([sessions, numbers]);
}

export function readLineage(text: string): readonly LineageEntry[] {
  const [sessions, numbers] = JSON.parse(text) as [string[], number[]];
  const entries: LineageEntry[] = [];
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    entries.push({
      from: numbers[i] as number,
      timelineId: `${sessions[numbers[i + 1] as number]}.${numbers[i + 2]}`,
      level: numbers[i + 3] as number,
    });
  }
  return entries;
}
