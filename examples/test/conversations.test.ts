import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';

// The project's own selection, or any other directory in the same format.
const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');

/** A message as its file has it, read here without the reader. */
interface RawMessage {
  id: string;
  parent?: string | null;
  role: string;
  content: string | null;
  name?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
  api_message_id?: string;
  thinking?: string;
  stopReason?: string;
  subtype?: string;
  usage?: RawUsage;
}
interface RawUsage extends Partial<Record<string, unknown>> {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
  prompt_tokens?: number;
  completion_tokens?: number;
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
  cost?: Record<'input' | 'output' | 'cacheRead' | 'cacheWrite', number>;
}
interface RawRecord {
  id: string;
  source: string;
  license: string;
  commit: string;
  meta?: { run_summaries?: { after_message_id: string; text: string }[] };
  messages: RawMessage[];
}

let raw: Map<string, RawRecord>;
let conversations: Map<string, Conversation>;

beforeAll(async () => {
  raw = new Map();
  for (const file of (await readdir(directory)).filter((name) => name.endsWith('.jsonl'))) {
    const lines = (await readFile(join(directory, file), 'utf8')).split('\n');
    for (const line of lines.filter((text) => text !== '')) {
      const { nodes, ...record } = JSON.parse(line);
      raw.set(record.id, { ...record, messages: record.messages ?? nodes });
    }
  }
  conversations = new Map();
  for await (const conversation of readConversations(directory)) {
    conversations.set(conversation.id, conversation);
  }
});

interface Pair {
  readonly conversation: Conversation;
  readonly record: RawRecord;
}

function pairs(): Pair[] {
  return [...conversations.values()].map((conversation) => ({
    conversation,
    record: raw.get(conversation.id) as RawRecord,
  }));
}

function pairOf(id: string): Pair {
  const pair = pairs().find(({ record }) => record.id === id);
  if (pair === undefined) throw new Error(`${directory} has no conversation ${id}`);
  return pair;
}

interface Totals {
  input: number;
  output: number;
  read: number;
  written: number;
  nano: number;
}

const nothing: Totals = { input: 0, output: 0, read: 0, written: 0, nano: 0 };

function add(a: Totals, b: Totals): Totals {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    read: a.read + b.read,
    written: a.written + b.written,
    nano: a.nano + b.nano,
  };
}

/** Sums of a record's own numbers: the largest output of each API message, prices from their four parts. */
function expectedTotals({ messages }: RawRecord): Totals {
  const answers = Map.groupBy(
    messages.filter(({ usage }) => usage !== undefined),
    (message) => message.api_message_id ?? message,
  );
  return [...answers.values()].map((lines) => answerTotals(lines)).reduce(add, nothing);
}

function answerTotals(lines: RawMessage[]): Totals {
  const usages = lines.map(({ usage }) => usage as RawUsage);
  const most = (...fields: string[]): number =>
    Math.max(...usages.flatMap((usage) => fields.map((field) => Number(usage[field] ?? 0))));
  const read = most('cache_read_input_tokens', 'cacheRead');
  const written = most('cache_creation_input_tokens', 'cacheWrite');
  const prices = usages.flatMap(({ cost }) =>
    cost === undefined ? [] : [cost.input, cost.output, cost.cacheRead, cost.cacheWrite],
  );
  return {
    input: most('input_tokens', 'prompt_tokens', 'input') + read + written,
    output: most('output_tokens', 'completion_tokens', 'output'),
    read,
    written,
    nano: prices.reduce((sum, usd) => sum + Math.round(usd * 1e9), 0),
  };
}

function totalsOf({ turns }: Conversation): Totals {
  return turns
    .map(({ turn: { usage, cost } }) => ({
      input: usage?.inputTokens ?? 0,
      output: usage?.outputTokens ?? 0,
      read: usage?.cacheReadTokens ?? 0,
      written: usage?.cacheWriteTokens ?? 0,
      nano: Math.round((cost ?? 0) * 1e9),
    }))
    .reduce(add, nothing);
}

describe('every conversation', () => {
  it('is there, with every message', () => {
    expect(conversations.size).toBeGreaterThan(0);
    expect([...conversations.keys()].sort()).toEqual([...raw.keys()].sort());
    for (const { conversation, record } of pairs()) {
      expect(conversation.turns.length, conversation.id).toBe(record.messages.length);
    }
  });

  it('names its source, commit and licence, and has a title of one line', () => {
    for (const { conversation, record } of pairs()) {
      expect(conversation).toMatchObject({
        source: record.source,
        commit: record.commit,
        license: record.license,
      });
      expect(conversation.title).toMatch(/^[^\r\n]{1,80}$/u);
      expect(conversation.title.isWellFormed()).toBe(true);
    }
  });

  it('has ids that are unique and that a session takes', () => {
    for (const { conversation } of pairs()) {
      const ids = conversation.turns.map(({ turn }) => turn.turnId);
      expect(new Set(ids).size, conversation.id).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^(?!\s)\P{Cc}{1,128}(?<!\s)$/u);
    }
  });

  it('has each parent before its children, as the source says', () => {
    for (const { conversation, record } of pairs()) {
      const seen = new Set<string | null>([null]);
      for (const [at, { turn, parent }] of conversation.turns.entries()) {
        expect(seen, `${conversation.id} ${turn.turnId}`).toContain(parent);
        seen.add(turn.turnId);
        const message = record.messages[at];
        const before = record.messages[at - 1]?.id ?? null;
        expect(parent).toBe(conversation.tree ? message?.parent : before);
      }
    }
  });

  it('says word for word what the source says', () => {
    for (const { conversation, record } of pairs()) {
      for (const [at, { turn }] of conversation.turns.entries()) {
        const { role, content, thinking } = record.messages[at] as RawMessage;
        expect(turn.role).toBe(role);
        if (thinking === undefined) {
          expect(turn.content).toBe(content ?? '');
        } else {
          const text = content === '' ? [] : [{ type: 'text', text: content }];
          expect(turn.content).toEqual([{ type: 'reasoning', text: thinking }, ...text]);
        }
      }
    }
  });

  it('has its calls of tools verbatim', () => {
    for (const { conversation, record } of pairs()) {
      for (const [at, { turn }] of conversation.turns.entries()) {
        const message = record.messages[at];
        expect(turn.toolCallId).toBe(message?.tool_call_id);
        expect(turn.toolCalls).toEqual(
          message?.tool_calls?.map((call) => ({ id: call.id, ...call.function })),
        );
      }
    }
  });

  it('adds up to the tokens and the money of the source', () => {
    let all = nothing;
    for (const { conversation, record } of pairs()) {
      const expected = expectedTotals(record);
      expect(totalsOf(conversation), conversation.id).toEqual(expected);
      all = add(all, expected);
    }
    expect(all.input).toBeGreaterThan(0);
    expect(all.nano).toBeGreaterThan(0);
  });

  it('was started by a conversation that is there, if it is one of a sub-agent', () => {
    const agents = [...conversations.values()].filter(({ kind }) => kind === 'subagent_session');
    expect(agents.length).toBeGreaterThan(0);
    for (const { parentConversation, turns } of agents) {
      expect(conversations.get(parentConversation ?? '')?.kind).toBe('tree_coding_session');
      for (const { turn } of turns) {
        const answers = turn.role === 'assistant' || turn.role === 'tool';
        expect(turn.agent !== undefined).toBe(answers);
      }
    }
  });
});

describe('usage', () => {
  it('has the known sums', () => {
    expect(totalsOf(pairOf('pi-large-session').conversation)).toMatchObject({
      nano: 30_330_197_700,
    });
    expect(totalsOf(pairOf('autogen-travel-planning-c4').conversation)).toEqual({
      ...nothing,
      input: 3991,
      output: 2460,
    });
  });

  it('agrees with the sums that AutoGen printed after its runs', () => {
    let summaries = 0;
    for (const { conversation, record } of pairs()) {
      let from = 0;
      for (const { after_message_id: last, text } of record.meta?.run_summaries ?? []) {
        const to = conversation.turns.findIndex(({ turn }) => turn.turnId === last) + 1;
        const run = totalsOf({ ...conversation, turns: conversation.turns.slice(from, to) });
        expect(text).toContain(`Total prompt tokens: ${run.input}\n`);
        expect(text).toContain(`Total completion tokens: ${run.output}\n`);
        from = to;
        summaries += 1;
      }
    }
    expect(summaries).toBeGreaterThan(0);
  });

  it('counts an answer written over several lines once, where its output is complete', () => {
    let repeated = 0;
    let provisional = 0;
    for (const { conversation, record } of pairs()) {
      const lines = Map.groupBy(
        [...record.messages.entries()].filter(([, { api_message_id: id }]) => id !== undefined),
        ([, { api_message_id: id }]) => id,
      );
      for (const answer of lines.values()) {
        const outputs = answer.map(([, { usage }]) => usage?.output_tokens ?? 0);
        const counted = answer.filter(([at]) => conversation.turns[at]?.turn.usage !== undefined);
        expect(counted.map(([, { usage }]) => usage?.output_tokens)).toEqual([
          Math.max(...outputs),
        ]);
        if (outputs.length > 1) repeated += 1;
        if (outputs[0] !== outputs.at(-1)) provisional += 1;
      }
    }
    expect(repeated).toBeGreaterThan(0);
    expect(provisional).toBeGreaterThan(0);
  });
});

describe('the oddities of the sources', () => {
  it('keeps ids of calls that come again, and calls that nobody answered', () => {
    const again = pairs().filter(({ conversation: { turns } }) => {
      const ids = turns.flatMap(({ turn }) => turn.toolCalls ?? []).map(({ id }) => id);
      return new Set(ids).size < ids.length;
    });
    expect(again.length).toBeGreaterThan(0);

    const { turns } = pairOf('pi-large-session').conversation;
    const answered = new Set(turns.map(({ turn }) => turn.toolCallId));
    const open = turns
      .flatMap(({ turn }) => turn.toolCalls ?? [])
      .filter(({ id }) => !answered.has(id));
    expect(open.length).toBe(18);
  });

  it('marks the answers that broke off, most of them empty', () => {
    const { conversation, record } = pairOf('pi-large-session');
    const aborted = conversation.turns.filter(({ turn }) => turn.state === 'aborted');
    const broken = record.messages.filter(({ stopReason }) =>
      ['aborted', 'error'].includes(stopReason ?? ''),
    );
    expect(aborted.map(({ turn }) => turn.turnId)).toEqual(broken.map(({ id }) => id));
    expect(aborted.filter(({ turn }) => turn.content === '').length).toBeGreaterThan(10);
  });

  it('keeps arguments that are not JSON', () => {
    const broken = pairs()
      .flatMap(({ conversation }) => conversation.turns)
      .flatMap(({ turn }) => turn.toolCalls ?? [])
      .map((call) => call.arguments)
      .filter((text) => !isJson(String(text)));
    expect(broken).toEqual([
      '{"menu_item_id": ""latte-4968"","quantity": "1"}',
      '{"query": "syrup", "menu_item_id":""latte-4968""}',
    ]);
  });

  it('keeps the two roots of a compacted log, and where the second goes on', () => {
    const compacted = pairs().filter(({ conversation: { kind, turns } }) => {
      return kind === 'tree_coding_session' && turns.filter((t) => t.parent === null).length > 1;
    });
    expect(compacted.length).toBeGreaterThan(0);
    for (const { conversation } of compacted) {
      const [, second] = conversation.turns.filter(({ parent }) => parent === null);
      const before = Object(second?.turn.metadata?.['source']).logical_parent;
      expect(conversation.turns.map(({ turn }) => turn.turnId)).toContain(before);
    }
  });

  it('keeps alternatives: several answers to one message', () => {
    const trees = pairs().filter(({ record }) => record.source === 'LAION-AI/Open-Assistant');
    expect(trees.length).toBeGreaterThan(0);
    for (const { conversation } of trees) {
      const parents = conversation.turns.map(({ parent }) => parent);
      expect(new Set(parents).size, conversation.id).toBeLessThan(parents.length);
    }
  });

  it('tells people with one role apart by name, and agents by agent', () => {
    const irc = pairs().filter(({ conversation }) => conversation.kind === 'tree_multiparty');
    expect(irc.length).toBeGreaterThan(0);
    for (const { conversation } of irc) {
      expect(new Set(conversation.turns.map(({ turn }) => turn.role))).toEqual(new Set(['user']));
      expect(new Set(conversation.turns.map(({ turn }) => turn.name)).size).toBeGreaterThan(1);
    }
    const { turns } = pairOf('autogen-swarm-c9').conversation;
    expect(new Set(turns.map(({ turn }) => turn.agent ?? turn.name))).toEqual(
      new Set(['user', 'travel_agent', 'flights_refunder']),
    );
  });

  it('keeps Chinese and emoji', () => {
    const said = pairs()
      .flatMap(({ conversation }) => conversation.turns)
      .map(({ turn }) => JSON.stringify(turn.content));
    expect(said.some((text) => /\p{Script=Han}/u.test(text))).toBe(true);
    expect(said.some((text) => /\p{Emoji_Presentation}/u.test(text))).toBe(true);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
