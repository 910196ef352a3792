import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../src/session/json.ts';
import type { SessionTurn } from '../../src/session/turn.ts';

interface Message {
  readonly id: string;
  readonly parent?: string | null;
  readonly role: SessionTurn['role'];
  readonly content: unknown;
  readonly name?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: JsonValue };
  }[];
  readonly tool_call_id?: string;
}

/** A conversation as turns; of a tree the way to its last message. */
export interface Conversation {
  readonly id: string;
  readonly turns: readonly SessionTurn[];
}

const folder =
  process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '../../../../examples/data');

/** The real conversations: those of the project, or of CONVERSATIONS_DIR. */
export function conversations(): readonly Conversation[] {
  return globSync('*.jsonl', { cwd: folder })
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'))
    .map((line) => {
      const record = JSON.parse(line) as {
        readonly id: string;
        readonly messages?: readonly Message[];
        readonly nodes?: readonly Message[];
      };
      const messages = record.messages ?? wayToLast(record.nodes ?? []);
      return { id: record.id, turns: messages.map(toTurn) };
    });
}

function wayToLast(nodes: readonly Message[]): readonly Message[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const way: Message[] = [];
  for (let node = nodes.at(-1); node !== undefined; node = byId.get(node.parent ?? '')) {
    way.unshift(node);
  }
  return way;
}

function toTurn(message: Message, i: number): SessionTurn {
  const { content, name, role, tool_call_id: toolCallId, tool_calls: toolCalls } = message;
  return {
    turnId: `${i}`,
    seq: i + 1,
    timestamp: '2026-01-01T00:00:00.000Z',
    role,
    content:
      typeof content === 'string' ? content : content === null ? '' : JSON.stringify(content),
    ...(name === undefined ? {} : { name }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
    ...(toolCalls === undefined
      ? {}
      : {
          toolCalls: toolCalls.map((call) => ({
            id: call.id,
            name: call.function.name,
            arguments: call.function.arguments,
          })),
        }),
  };
}
