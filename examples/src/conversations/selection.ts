import { join } from 'node:path';
import { conversationFiles } from './read.ts';
import { type PlacedRecord, readRecords, type SourceMessage } from './record.ts';

/** What is taken of one source in one file. */
interface SelectionRule {
  readonly file: string;
  readonly source: string;
  /** In words, for the attribution. */
  readonly what: string;
  readonly choose: (
    records: readonly PlacedRecord[],
    chosen: ReadonlySet<string>,
  ) => PlacedRecord[];
}

/** The bytes that a selection may have in all. */
export const selectionLimit = 2_000_000;

/** In the order in which they are applied: sub-agents come after the conversations that started them. */
const selectionRules: readonly SelectionRule[] = [
  {
    file: 'coding_sessions.jsonl',
    source: 'badlogic/pi-mono',
    what: 'the whole session: the one with a price on each answer',
    choose: (records) => [...records],
  },
  {
    file: 'long_qa.jsonl',
    source: 'zhongwanjun/MemoryBank-SiliconFriend',
    what: 'the smallest chat over many days, with its questions',
    choose: (records) => smallest(records, 1),
  },
  {
    file: 'multi_agent.jsonl',
    source: 'microsoft/autogen',
    what: 'all runs of teams',
    choose: (records) => [...records],
  },
  {
    file: 'trees.jsonl',
    source: 'marot/spotter',
    what: 'the smallest log whose context was compacted, and all that are smaller',
    choose: (records) => {
      const compacted = smallest(
        records.filter((each) => roots(each) > 1),
        1,
      );
      return records.filter((each) => compacted.some((limit) => size(each) <= size(limit)));
    },
  },
  {
    file: 'trees.jsonl',
    source: 'LAION-AI/Open-Assistant',
    what: 'the five trees with the most alternatives',
    choose: (records) => first(records, 5, (each) => -alternatives(each)),
  },
  {
    file: 'trees.jsonl',
    source: 'jkkummerfeld/irc-disentanglement',
    what: 'the two trees with the most messages',
    choose: (records) => first(records, 2, (each) => -each.record.messages.length),
  },
  {
    file: 'subagents.jsonl',
    source: 'marot/spotter',
    what: 'the sub-agents of the logs chosen in `trees.jsonl`',
    choose: (records, chosen) =>
      records.filter(({ record }) => chosen.has(record.parent_session ?? '')),
  },
  {
    file: 'tool_agents.jsonl',
    source: 'sierra-research/tau-bench',
    what: 'of the airline agents the three smallest that use a call id again, and of the others the three smallest that succeeded and the three smallest that failed',
    choose: (records) => [
      ...smallest(records.filter(usesCallIdAgain), 3),
      ...smallest(
        records.filter((each) => !usesCallIdAgain(each) && reward(each) === 1),
        3,
      ),
      ...smallest(
        records.filter((each) => !usesCallIdAgain(each) && reward(each) === 0),
        3,
      ),
    ],
  },
  {
    file: 'tool_agents.jsonl',
    source: 'SWE-agent/SWE-agent',
    what: 'the two smallest runs',
    choose: (records) => smallest(records, 2),
  },
  {
    file: 'task_dialogues.jsonl',
    source: 'RasaHQ/STAR',
    what: 'four, evenly spread over the file',
    choose: (records) => spread(records, 4),
  },
  {
    file: 'task_dialogues.jsonl',
    source: 'thu-coai/CrossWOZ',
    what: 'six, evenly spread over the file',
    choose: (records) => spread(records, 6),
  },
  {
    file: 'task_dialogues.jsonl',
    source: 'google-research-datasets/Taskmaster',
    what: 'those with tool arguments that are not JSON, and three of the others, evenly spread',
    choose: (records) => [
      ...records.filter((each) => !argumentsAreJson(each)),
      ...spread(records.filter(argumentsAreJson), 3),
    ],
  },
];

/** What a rule chose, in the order of its file. */
export interface Selected {
  readonly rule: SelectionRule;
  readonly records: readonly PlacedRecord[];
}

/** Applies the rules to a directory of data files. The same files give the same selection. */
export async function selectConversations(directory: string): Promise<readonly Selected[]> {
  const records: PlacedRecord[] = [];
  for (const file of await conversationFiles(directory)) {
    for await (const record of readRecords(join(directory, file))) records.push(record);
  }
  const chosen = new Set<string>();
  return selectionRules.map((rule) => {
    const from = records.filter(
      ({ file, record }) => file === rule.file && record.source === rule.source,
    );
    const taken = new Set(rule.choose(from, chosen));
    for (const { record } of taken) chosen.add(record.id);
    return { rule, records: from.filter((each) => taken.has(each)) };
  });
}

/** A selection as files: their names and text, each record's line as it was, in the order it had. */
export function selectedFiles(selection: readonly Selected[]): ReadonlyMap<string, string> {
  const byFile = Map.groupBy(
    selection.flatMap(({ records }) => records),
    ({ file }) => file,
  );
  return new Map(
    [...byFile].map(([file, records]) => [
      file,
      records
        .sort((a, b) => a.line - b.line)
        .map(({ text }) => `${text}\n`)
        .join(''),
    ]),
  );
}

/** A record's bytes in its file. */
export function size({ text }: PlacedRecord): number {
  return Buffer.byteLength(text) + 1;
}

function first(
  records: readonly PlacedRecord[],
  count: number,
  rank: (each: PlacedRecord) => number,
): PlacedRecord[] {
  return records.toSorted((a, b) => rank(a) - rank(b) || size(a) - size(b)).slice(0, count);
}

function smallest(records: readonly PlacedRecord[], count: number): PlacedRecord[] {
  return first(records, count, size);
}

function spread(records: readonly PlacedRecord[], count: number): PlacedRecord[] {
  const step = records.length / count;
  return records.filter(
    (_, at) => step <= 1 || Math.floor(at / step) !== Math.floor((at - 1) / step),
  );
}

function roots({ record }: PlacedRecord): number {
  return record.messages.filter(({ parent }) => parent === null).length;
}

/** How many messages stand beside another answer to the same message. */
function alternatives({ record }: PlacedRecord): number {
  const answers = Map.groupBy(record.messages, ({ parent }) => parent);
  return [...answers.values()].reduce((sum, list) => sum + list.length - 1, 0);
}

function reward({ record }: PlacedRecord): unknown {
  return record.meta?.['reward'];
}

function usesCallIdAgain({ record }: PlacedRecord): boolean {
  const ids = record.messages.flatMap(callsOf).map(({ id }) => id);
  return new Set(ids).size < ids.length;
}

function argumentsAreJson({ record }: PlacedRecord): boolean {
  return record.messages.flatMap(callsOf).every(({ function: called }) => {
    if (typeof called.arguments !== 'string') return true;
    try {
      JSON.parse(called.arguments);
      return true;
    } catch {
      return false;
    }
  });
}

function callsOf(message: SourceMessage): NonNullable<SourceMessage['tool_calls']> {
  return message.tool_calls ?? [];
}
