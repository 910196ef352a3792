import { SessionCorruptDataError } from '../errors.ts';
import type { ContentPart, SessionTurn, ToolCall } from '../session/turn.ts';
import type { TurnGroup } from './group-turns.ts';
import type { ProjectedMessage } from './message.ts';
import { noResult, opening, partsOf, speakerOf } from './shown.ts';

/** What is shown, in order. */
export interface Shown {
  readonly system: readonly TurnGroup[];
  readonly summary: string | null;
  readonly groups: readonly TurnGroup[];
  readonly viewer: string | undefined;
}

/** The messages of what is shown; `turnAt` gives the turn with a seq. */
export function render(
  { groups, summary, system, viewer }: Shown,
  turnAt: (seq: number) => SessionTurn | undefined,
): readonly ProjectedMessage[] {
  const page = new MessagePage(viewer, turnAt);
  for (const group of system) page.add('system', group.seq);
  if (summary !== null) page.say('user', [{ type: 'text', text: summary }], []);
  for (const group of groups) page.addGroup(group);
  return page.end();
}

/** The messages so far; what one role says in a row becomes one message. */
class MessagePage {
  readonly #viewer: string | undefined;
  readonly #turnAt: (seq: number) => SessionTurn | undefined;
  readonly #messages: ProjectedMessage[] = [];
  readonly #ids = new Set<string>();

  constructor(viewer: string | undefined, turnAt: (seq: number) => SessionTurn | undefined) {
    this.#viewer = viewer;
    this.#turnAt = turnAt;
  }

  addGroup(group: TurnGroup): void {
    const [first] = group.digests;
    if (first === undefined) return;
    if (group.results.length > 0) this.#addCalls(group, this.#turn(first.seq));
    else if (first.role === 'assistant') {
      // To a viewer, what other agents say comes from outside.
      const { agent } = this.#turn(first.seq);
      const own = this.#viewer === undefined || agent === undefined || agent === this.#viewer;
      this.add(own ? 'assistant' : 'user', first.seq);
    } else this.add('user', first.seq);
  }

  add(role: 'system' | 'user' | 'assistant', seq: number): void {
    const turn = this.#turn(seq);
    const speaker = role === 'user' ? speakerOf(turn) : '';
    this.say(role, withSpeaker(partsOf(turn), speaker), [turn.turnId]);
  }

  say(
    role: 'system' | 'user' | 'assistant',
    parts: readonly ContentPart[],
    turnIds: readonly string[],
    toolCalls: readonly ToolCall[] = [],
  ): void {
    const last = this.#messages.at(-1);
    const calls = toolCalls.length === 0 ? {} : { toolCalls };
    if (last?.role === role && last.toolCalls === undefined) {
      const content = joined([...asParts(last.content), ...parts]);
      this.#messages[this.#messages.length - 1] = {
        role,
        content,
        ...calls,
        turnIds: [...last.turnIds, ...turnIds],
      };
    } else this.#messages.push({ role, content: joined(parts), ...calls, turnIds });
  }

  #addCalls({ results }: TurnGroup, turn: SessionTurn): void {
    const shown: ToolCall[] = [];
    const answers: ProjectedMessage[] = [];
    for (const [at, call] of (turn.toolCalls ?? []).entries()) {
      const result = results[at];
      if (result === undefined) continue;
      const id = this.#uniqueId(call.id);
      shown.push(id === call.id ? call : { ...call, id });
      answers.push(this.#answer(id, call.name, result === null ? null : this.#turn(result.seq)));
    }
    this.say('assistant', partsOf(turn), [turn.turnId], shown);
    this.#messages.push(...answers);
  }

  #answer(toolCallId: string, toolName: string, turn: SessionTurn | null): ProjectedMessage {
    const base = { role: 'tool', toolCallId, toolName } as const;
    if (turn === null) return { ...base, content: noResult, isError: true, turnIds: [] };
    const content = joined(partsOf(turn));
    const error = turn.isError === true ? { isError: true } : {};
    return { ...base, content, ...error, turnIds: [turn.turnId] };
  }

  /** Providers want each call of a request to have an id of its own. */
  #uniqueId(id: string): string {
    let unique = id;
    for (let n = 2; this.#ids.has(unique); n++) unique = `${id}_${n}`;
    this.#ids.add(unique);
    return unique;
  }

  #turn(seq: number): SessionTurn {
    const turn = this.#turnAt(seq);
    if (turn !== undefined) return turn;
    throw new SessionCorruptDataError(`seq ${seq}`, 'the turn is missing');
  }

  end(): readonly ProjectedMessage[] {
    const first = this.#messages.findIndex(({ role }) => role !== 'system');
    if (first !== -1 && this.#messages[first]?.role !== 'user') {
      this.#messages.splice(first, 0, { role: 'user', content: opening, turnIds: [] });
    }
    return this.#messages;
  }
}

function withSpeaker(parts: readonly ContentPart[], speaker: string): readonly ContentPart[] {
  if (speaker === '') return parts;
  const [first, ...rest] = parts;
  return first?.type === 'text'
    ? [{ ...first, text: speaker + first.text }, ...rest]
    : [{ type: 'text', text: speaker.trimEnd() }, ...parts];
}

function asParts(content: string | readonly ContentPart[]): readonly ContentPart[] {
  if (typeof content !== 'string') return content;
  return content === '' ? [] : [{ type: 'text', text: content }];
}

/** Parts as content: one text where there is nothing but text. */
function joined(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const plain = parts.every((part) => part.type === 'text' && part.extra === undefined);
  if (!plain) return parts;
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n\n');
}
